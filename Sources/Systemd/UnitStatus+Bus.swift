extension UnitStatus {
    /// Reads the unit at an object path; systemd loads it if need be.
    init(at path: String, on bus: borrowing Bus, for operation: SystemdError.Operation) throws(SystemdError) {
        let reply = try bus.call("GetAll", interface: Bus.propertiesInterface, path: path, for: operation) {
            message throws(SystemdError) in try message.append(Bus.unitInterface)
        }
        try reply.each("e", "sv") { () throws(SystemdError) in try read(try reply.requiredText(), from: reply) }
        if !jobPath.isEmpty { isBeingStarted = Self.isStart(jobPath, bus, operation) }
        if id.hasSuffix(".socket") {
            accepts = try bus.property("Accept", of: "org.freedesktop.systemd1.Socket", at: path, for: operation)
                .variant("b") { reply throws(SystemdError) in try reply.flag() }
        }
        guard id.hasSuffix(".service") else { return }
        // One property at a time: reading all of a service's would make systemd read its cgroup.
        type = try Self.service("Type", at: path, on: bus, for: operation).variant("s") {
            reply throws(SystemdError) in try reply.requiredText()
        }
        result = try Self.service("Result", at: path, on: bus, for: operation).variant("s") {
            reply throws(SystemdError) in try reply.requiredText()
        }
        mainPID = try Self.service("MainPID", at: path, on: bus, for: operation).variant("u") {
            reply throws(SystemdError) in Int32(truncatingIfNeeded: try reply.number("u", UInt32(0)))
        }
    }

    /// Reads one property of the unit, if it is one of ours, and skips it otherwise.
    private mutating func read(_ name: String, from message: borrowing BusMessage) throws(SystemdError) {
        if let text = Self.texts[name] {
            self[keyPath: text] = try message.variant("s") { message throws(SystemdError) in
                try message.requiredText()
            }
        } else if let list = Self.lists[name] {
            self[keyPath: list] = try message.variant("as") { message throws(SystemdError) in try message.texts() }
        } else if let flag = Self.flags[name] {
            self[keyPath: flag] = try message.variant("b") { message throws(SystemdError) in try message.flag() }
        } else if name == "Conditions" {
            conditions = try message.variant("a(sbbsi)") { message throws(SystemdError) in
                var conditions: [UnitCondition] = []
                try message.each("r", "sbbsi") { () throws(SystemdError) in
                    conditions.append(
                        UnitCondition(
                            type: try message.requiredText(), isTrigger: try message.flag(),
                            isNegated: try message.flag(), parameter: try message.requiredText(),
                            state: try message.number("i", Int32(0))))
                }
                return conditions
            }
        } else if name == "Job" {
            jobPath = try message.variant("(uo)") { message throws(SystemdError) in
                var path = ""
                try message.inside("r", "uo") { () throws(SystemdError) in
                    let number = try message.number("u", UInt32(0))
                    let object = try message.requiredText("o")
                    if number != 0 { path = object }
                }
                return path
            }
        } else {
            try message.skip("v")
        }
    }

    /// Whether a job starts its unit. False for a job that has ended meanwhile.
    private static func isStart(
        _ job: String, _ bus: borrowing Bus, _ operation: SystemdError.Operation
    ) -> Bool {
        do throws(SystemdError) {
            let type = try bus.property("JobType", of: "org.freedesktop.systemd1.Job", at: job, for: operation)
                .variant("s") { reply throws(SystemdError) in try reply.requiredText() }
            return ["start", "restart"].contains(type)
        } catch {
            return false
        }
    }

    private static func service(
        _ property: String, at path: String, on bus: borrowing Bus, for operation: SystemdError.Operation
    ) throws(SystemdError) -> BusMessage {
        try bus.property(property, of: "org.freedesktop.systemd1.Service", at: path, for: operation)
    }

    private static var texts: [String: WritableKeyPath<UnitStatus, String>] {
        [
            "Id": \.id, "LoadState": \.loadState, "ActiveState": \.activeState, "SubState": \.subState,
            "FragmentPath": \.fragmentPath, "UnitFileState": \.unitFileState,
        ]
    }

    private static var lists: [String: WritableKeyPath<UnitStatus, [String]>] {
        [
            "Names": \.names, "DropInPaths": \.dropInPaths, "RequiredBy": \.requiredBy, "RequisiteOf": \.requisiteOf,
            "BoundBy": \.boundBy, "ConsistsOf": \.consistsOf, "PropagatesStopTo": \.propagatesStopTo,
            "TriggeredBy": \.triggeredBy, "Triggers": \.triggers,
        ]
    }

    private static var flags: [String: WritableKeyPath<UnitStatus, Bool>] {
        [
            "Transient": \.isTransient, "NeedDaemonReload": \.needDaemonReload, "ConditionResult": \.conditionResult,
            "CanStart": \.canStart, "CanStop": \.canStop,
        ]
    }
}
