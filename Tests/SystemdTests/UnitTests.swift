import Foundation
import Testing

@testable import Systemd

extension `In a booted machine` {
    @Suite struct `A unit` {
        @Test(arguments: routes) func `is found by glob and by name`(_ manager: ServiceManager) throws {
            let files = try UnitFiles([
                "t-a.service": "[Unit]\nWants=t-missing.service\n" + UnitFiles.running,
                "t-b.service": UnitFiles.running,
                "t-b.timer": "[Timer]\nOnCalendar=2099-01-01\n",
                "t-app@.service": UnitFiles.running,
                "t-alias.service": UnitFiles.path("t-a.service"),
                "t-masked.service": "/dev/null",
            ])
            defer { files.remove() }
            #expect(try manager.start(["t-a.service", "t-app@X.service"]).values.allSatisfy { $0 == .done })
            defer { _ = try? manager.stop(["t-app@X.service"]) }
            let all = ["t-a.service", "t-app@X.service", "t-b.service", "t-b.timer", "t-masked.service"]
            let found = try manager.units(matching: ["t-*"])
            #expect(found == all)
            #expect(try manager.units(matching: ["t-*", "t-b.*", "t-b.timer"]) == all)
            #expect(try manager.units(matching: ["t-[ab].service"]) == ["t-a.service", "t-b.service"])
            #expect(try manager.units(matching: ["t-app@SEED.service"]) == ["t-app@SEED.service"])
            #expect(try manager.units(matching: ["t-alias.service"]) == ["t-a.service"])
            #expect(try manager.units(matching: ["t-alia*"]) == ["t-a.service"])
            let none = ["t-missing.service", "t-app@.service", "no unit", "t-z*", "t-none@X.service", ""]
            let nothing = try manager.units(matching: none)
            #expect(nothing == [])
            #expect(try manager.units(matching: []) == [])
            let known = try manager.unitFiles()
            #expect(known.isSuperset(of: all + ["t-app@.service", "t-alias.service", "basic.target"]))
            #expect(!known.contains("t-missing.service") && !known.contains { $0.hasSuffix(".wants") })
            let listed = try run("systemctl", "list-unit-files", "--full", "--plain", "--no-legend")
            #expect(
                known.isSuperset(
                    of: listed.split(separator: "\n").compactMap { $0.split(separator: " ").first.map(String.init) }))
        }

        @Test(arguments: routes) func `has a status`(_ manager: ServiceManager) throws {
            let files = try UnitFiles([
                "t-a.service": """
                [Unit]
                ConditionPathExists=|!/var/no-such-thing
                ConditionFileNotEmpty=/etc/passwd
                PropagatesStopTo=t-told.service
                \(UnitFiles.running)
                """,
                "t-a.service.d/more.conf": "[Unit]\nDescription=with a drop-in\n",
                "t-alias.service": UnitFiles.path("t-a.service"),
                "t-a.timer": "[Timer]\nOnCalendar=2099-01-01\n",
                "t-requires.service": "[Unit]\nRequires=t-a.service\n" + UnitFiles.running,
                "t-requisite.service": "[Unit]\nRequisite=t-a.service\n" + UnitFiles.running,
                "t-binds.service": "[Unit]\nBindsTo=t-a.service\n" + UnitFiles.running,
                "t-part.service": "[Unit]\nPartOf=t-a.service\n" + UnitFiles.running,
                "t-told.service": UnitFiles.running,
            ])
            defer { files.remove() }
            // A unit knows those that point to it once they are loaded.
            let others = ["t-requires.service", "t-requisite.service", "t-binds.service", "t-part.service"]
            for name in others + ["t-a.timer"] { #expect(try manager.status(of: name).isDown) }
            #expect(try manager.start(["t-a.service"]) == ["t-a.service": .done])
            let results = try manager.start(others + ["t-a.timer"])
            #expect(results.filter { $0.value != .done } == [:])
            let status = try manager.status(of: "t-alias.service")
            #expect(status.id == "t-a.service")
            #expect(status.names.sorted() == ["t-a.service", "t-alias.service"])
            #expect(status.loadState == "loaded" && status.activeState == "active" && status.subState == "running")
            #expect(status.type == "exec" && status.result == "success")
            #expect(try manager.status(of: "t-part.service").unitFileState == "static")
            #expect(status.fragmentPath == UnitFiles.path("t-a.service"))
            #expect(status.dropInPaths == [UnitFiles.path("t-a.service.d/more.conf")])
            #expect(!status.isTransient && status.exists && status.isUp && !status.isDown)
            let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(status.mainPID)/exe")
            #expect(program == "/usr/bin/sleep")
            #expect(status.requiredBy == ["t-requires.service"] && status.boundBy == ["t-binds.service"])
            #expect(status.requisiteOf == ["t-requisite.service"] && status.consistsOf == ["t-part.service"])
            #expect(status.propagatesStopTo == ["t-told.service"])
            #expect(status.stopsAlong == (others + ["t-told.service"]).sorted())
            #expect(status.triggeredBy == ["t-a.timer"] && status.triggers == [])
            #expect(try manager.status(of: "t-a.timer").triggers == ["t-a.service"])
            #expect(try manager.status(of: "t-a.timer").type == "")
            #expect(status.conditionResult)
            #expect(
                Set(status.conditions) == [
                    UnitCondition(
                        type: "ConditionPathExists", isTrigger: true, isNegated: true,
                        parameter: "/var/no-such-thing", state: 1),
                    UnitCondition(
                        type: "ConditionFileNotEmpty", isTrigger: false, isNegated: false,
                        parameter: "/etc/passwd", state: 1),
                ])
            // What systemd stops along is what it says.
            #expect(try manager.start(["t-told.service"]) == ["t-told.service": .done])
            #expect(try manager.stop(["t-a.service"]) == ["t-a.service": .done])
            for name in status.stopsAlong {
                try manager.waitUntilInactive(name)
                #expect(try manager.status(of: name).isDown, "\(name)")
            }
        }

        @Test(arguments: routes) func `that does not exist has one too`(_ manager: ServiceManager) throws {
            let status = try manager.status(of: "t-none.service")
            #expect(status.loadState == "not-found" && !status.exists && status.isDown && status.mainPID == 0)
            let error = #expect(throws: SystemdError.self) { try manager.status(of: "no unit") }
            #expect(error?.name == "org.freedesktop.DBus.Error.InvalidArgs" && error?.unit == "no unit")
            #expect(throws: SystemdError.self) { try manager.status(of: "t\0.service") }
            // systemd takes an empty name for the caller's own unit.
            #expect(throws: SystemdError.self) { try manager.status(of: "") }
            #expect(throws: SystemdError.self) { try manager.kill("", signal: SIGKILL) }
            #expect(throws: SystemdError.self) { try manager.resetFailed("") }
            #expect(throws: SystemdError.self) { try manager.waitUntilInactive("") }
            #expect(try manager.stop([""]) == ["": .refused("a unit needs a name")])
        }

        @Test(arguments: routes) func `is read again by a reload`(_ manager: ServiceManager) throws {
            let files = try UnitFiles(["t-a.service": "[Unit]\nDescription=old\n" + UnitFiles.running])
            defer { files.remove() }
            _ = try manager.start(["t-a.service"])
            #expect(try !manager.status(of: "t-a.service").needDaemonReload)
            try UnitFiles.write("t-a.service", "[Unit]\nConditionPathExists=/\n" + UnitFiles.running)
            #expect(try manager.status(of: "t-a.service").needDaemonReload)
            try manager.reload()
            let status = try manager.status(of: "t-a.service")
            #expect(!status.needDaemonReload && status.conditions.count == 1 && status.isUp)
        }

        @Test(arguments: routes) func `can be signalled, and its failure forgotten`(_ manager: ServiceManager) throws {
            let files = try UnitFiles(["t-a.service": UnitFiles.running])
            defer { files.remove() }
            _ = try manager.start(["t-a.service"])
            try manager.kill("t-a.service", signal: SIGKILL)
            try manager.waitUntilInactive("t-a.service")
            let status = try manager.status(of: "t-a.service")
            #expect(status.activeState == "failed" && status.result == "signal" && status.isDown)
            try manager.resetFailed("t-a.service")
            #expect(try manager.status(of: "t-a.service").activeState == "inactive")
            try manager.resetFailed("t-none.service")
            #expect(throws: SystemdError.self) { try manager.kill("t-none.service", signal: SIGTERM) }
        }

        @Test(arguments: routes) func `is part of a system that has a state`(_ manager: ServiceManager) throws {
            let state = try run("systemctl", "is-system-running", "--wait")
            #expect(try manager.systemState() == state.trimmingCharacters(in: .newlines))
            #expect(ServiceManager.isRunning)
        }
    }
}
