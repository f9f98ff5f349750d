import Glibc
import PatchFiles
import PatchModel

/// Where a database is, and how to log in there.
struct MariaDBAddress: Sendable {
    let library: MariaDBLibrary
    let host: String?
    let port: UInt32
    let socket: String?
    let database: String
    let user: String?
    /// Nil: as the owner's my.cnf says, or none.
    let password: String?
    let requiresTLS: Bool
    let verifiesCertificate: Bool
    /// The owner's own my.cnf, where the library would not find it by itself.
    private let optionFile: String?

    /// Seconds that connecting may take.
    private static let connectTimeout: UInt32 = 10
    /// Debian's certificates, where no my.cnf names others.
    static let certificates = "/etc/ssl/certs/ca-certificates.crt"

    /// - Parameter home: of the folder's owner, as whom this process runs.
    init(_ server: DatabaseServer, as login: DatabaseLogin, home: String?) throws(SQLError) {
        library = try MariaDBLibrary.load()
        host = server.host
        port = UInt32(server.port ?? 0)
        socket = server["socket"]
        database = server.database
        user = login.credentials?.user ?? server.user
        password = login.credentials?.password
        requiresTLS = server["tls"] != nil
        verifiesCertificate = server["tls"] == "verify"
        // The library looks into $HOME, which may be another's.
        let own = home.map { $0 + "/.my.cnf" }
        let isFound = getenv("HOME").map { String(cString: $0) } == home
        optionFile = isFound ? nil : own.flatMap { access($0, R_OK) == 0 ? $0 : nil }
    }

    /// Of the user as whom this process runs.
    static var home: String? {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 1 << 16)
        guard getpwuid_r(geteuid(), &entry, &buffer, buffer.count, &found) == 0 else { return nil }
        return found?.pointee.pw_dir.map { String(cString: $0) }
    }

    /// Sets a connection's options before it is made.
    func configure(_ handle: OpaquePointer, _ attributes: [(String, String)]) {
        // Its stack is as large as the library thinks right.
        _ = library.setOption(handle, MariaDBLibrary.Option.nonBlocking.rawValue, nil)
        set(handle, .connectTimeout, number: Self.connectTimeout)
        if let optionFile { set(handle, .defaultFile, text: optionFile) }
        // [client], [client-server] and [client-mariadb].
        set(handle, .defaultGroup, text: "client")
        set(handle, .characterSet, text: "utf8mb4")
        // A server could ask for any file of the owner's otherwise.
        set(handle, .localInfile, number: 0)
        set(handle, .reconnect, flag: false)
        if requiresTLS { set(handle, .enforceTLS, flag: true) }
        if verifiesCertificate {
            set(handle, .certificateAuthority, text: Self.certificates)
            set(handle, .verifyCertificate, flag: true)
        }
        for (name, value) in attributes {
            _ = name.withCString { name in
                value.withCString { library.setPair(handle, MariaDBLibrary.Option.addAttribute.rawValue, name, $0) }
            }
        }
    }

    func set(_ handle: OpaquePointer, _ option: MariaDBLibrary.Option, text: String) {
        _ = text.withCString { library.setOption(handle, option.rawValue, $0) }
    }

    func set(_ handle: OpaquePointer, _ option: MariaDBLibrary.Option, number: UInt32) {
        var number = number
        _ = library.setOption(handle, option.rawValue, &number)
    }

    func set(_ handle: OpaquePointer, _ option: MariaDBLibrary.Option, flag: Bool) {
        var flag: CChar = flag ? 1 : 0
        _ = library.setOption(handle, option.rawValue, &flag)
    }

    /// Where it is, for messages.
    var place: String {
        let server = socket ?? host.map { port > 0 ? "\($0):\(port)" : $0 } ?? "this host"
        return "\"\(database)\" on \(server)"
    }
}
