import PatchModel

/// Where a Firebird database is, and who logs in.
struct FirebirdAddress: Sendable {
    /// As the client library takes it: `inet://host:3050/db`, or a path for a file that this process opens itself.
    let text: String
    /// For messages.
    let name: String
    let user: String?
    private let password: String?
    /// The options of the client library for this attachment, in lines.
    private let options: String
    /// The path of a file that this process opens itself.
    let file: String?

    /// A database on a server.
    ///
    /// - Throws: with the code `database` for what Firebird does not have.
    init(_ server: DatabaseServer, _ login: DatabaseLogin) throws(SQLError) {
        let host = server.host ?? "localhost"
        let isAddress = host.contains(":")
        let place = "\(isAddress ? "[\(host)]" : host):\(server.port ?? 3050)"
        name = "firebird://\(place)/\(server.database)"
        guard server["socket"] == nil, server["tls"] != "verify" else {
            throw SQLError(
                .database, "use the database \"\(name)\"",
                "Firebird has no \(server["socket"] == nil ? "certificates" : "sockets in files")",
                wayOut: server["socket"] == nil ? "write tls=required" : "take \"socket\" out of the URL")
        }
        text = "\(isAddress ? "inet6" : "inet")://\(place)/\(server.database)"
        user = login.credentials?.user ?? server.user
        password = login.credentials?.password
        options = server["tls"] == nil ? "" : "WireCrypt=Required\n"
        file = nil
    }

    /// A file that this process opens itself: who may read and write it needs no password.
    init(file path: String, _ login: DatabaseLogin) {
        text = path
        name = path
        user = login.credentials?.user ?? "SYSDBA"
        password = nil
        // Otherwise a server on this host would be asked where the file cannot be opened.
        options = "Providers=Engine12,Engine13\n"
        file = path
    }

    /// The database parameter block: a kind, a length, and the bytes of each.
    var parameters: [UInt8] {
        var bytes: [UInt8] = [1]  // isc_dpb_version1
        func add(_ kind: UInt8, _ value: some Collection<UInt8>) {
            bytes += [kind, UInt8(clamping: value.count)] + value.prefix(255)
        }
        if let user { add(28, user.utf8) }
        if let password { add(29, password.utf8) }
        add(48, "UTF8".utf8)  // isc_dpb_lc_ctype
        add(57, [10, 0, 0, 0])  // isc_dpb_connect_timeout
        add(77, [])  // isc_dpb_utf8_filename
        if !options.isEmpty { add(87, options.utf8) }  // isc_dpb_config
        return bytes
    }

    /// What a program of Firebird's gets in its environment, where no other user can see it.
    var environment: [String] {
        [user.map { "ISC_USER=\($0)" }, password.map { "ISC_PASSWORD=\($0)" }].compactMap { $0 }
    }
}
