import Supervisor
import Systemd

/// `org.patchd1` on the system bus (contract §14).
struct SystemdBus: SystemBus {
    private let service = BusService()

    func serve(_ state: PublishedState, whenReached: () -> Void) throws {
        try service.serve(PublishedObject(state: state), whenReached: whenReached)
    }

    func wake() { service.wake() }
}

/// The state in D-Bus' words.
private struct PublishedObject: BusObject {
    let state: PublishedState

    let name = "org.patchd1"
    let properties = ["Jobs", "Folders"]
    let introspection = """
          <property name="Jobs" type="a(uss)" access="read">
           <annotation name="org.freedesktop.DBus.Property.EmitsChangedSignal" value="invalidates"/>
          </property>
          <property name="Folders" type="a(ssss)" access="read">
           <annotation name="org.freedesktop.DBus.Property.EmitsChangedSignal" value="invalidates"/>
          </property>
          <signal name="JobChanged">
           <arg name="number" type="u"/>
           <arg name="endpoint" type="s"/>
           <arg name="state" type="s"/>
          </signal>
          <signal name="FolderChanged">
           <arg name="endpoint" type="s"/>
           <arg name="folder" type="s"/>
           <arg name="version" type="s"/>
           <arg name="status" type="s"/>
          </signal>
          <signal name="UpdateArrived">
           <arg name="name" type="s"/>
           <arg name="version" type="s"/>
           <arg name="file" type="s"/>
          </signal>
        """

    func value(of property: String) -> BusValue {
        property == "Jobs"
            ? .rows("uss", state.jobs.map(Self.values)) : .rows("ssss", state.folders.map(Self.values))
    }

    func isPublic(_ property: String) -> Bool { property == "Folders" }

    func mayRead(uid: UInt32, groups: [UInt32]) -> Bool { state.maySeeJobs(uid: uid, groups: groups) }

    func nextSignal() -> BusSignal? {
        switch state.nextChange() {
        case .job(let job): .own("JobChanged", Self.values(job))
        case .folder(let folder): .own("FolderChanged", Self.values(folder))
        case .arrived(let name, let version, let file):
            .own("UpdateArrived", [.text(name), .text(version), .text(file)])
        case .lists(let jobs, let folders): .changed((jobs ? ["Jobs"] : []) + (folders ? ["Folders"] : []))
        case nil: nil
        }
    }

    private static func values(_ job: PublishedState.ShownJob) -> [BusValue] {
        [.mask(UInt32(clamping: job.number)), .text(job.endpoint), .text(job.state)]
    }

    private static func values(_ folder: PublishedState.ShownFolder) -> [BusValue] {
        [folder.endpoint, folder.folder, folder.version, folder.status].map { .text($0) }
    }
}
