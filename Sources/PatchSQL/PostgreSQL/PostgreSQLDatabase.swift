import PatchModel

/// A database on a PostgreSQL server, or one schema of it, named by a `postgresql:` URL (contract §12).
struct PostgreSQLDatabase: Database {
    let library: LibPQ
    let server: DatabaseServer
    let login: DatabaseLogin
    /// As it was written: no password is in it.
    let url: String

    var sessions: any Session.Type { PostgreSQLSession.self }

    /// Loads the client library; connects to nothing.
    ///
    /// - Throws: with the code `database` where it is not installed.
    init(_ server: DatabaseServer, url: String, as login: DatabaseLogin) throws(SQLError) {
        library = try LibPQ()
        self.server = server
        self.login = login
        self.url = url
    }

    /// Opens a session. A server creates no database by being asked for it.
    func open(lockTimeout: Double, create: Bool) throws(SQLError) -> any Session {
        try PostgreSQLSession(self, lockTimeout: lockTimeout)
    }

    /// libpq's parameters: the URL's own, `schema` apart, then what patchd says.
    var settings: [(name: String, value: String)] {
        var settings: [(name: String, value: String)] = []
        if let host = server.host { settings.append(("host", host)) }
        if let port = server.port { settings.append(("port", "\(port)")) }
        if let user = server.user { settings.append(("user", user)) }
        if !server.database.isEmpty { settings.append(("dbname", server.database)) }
        for parameter in server.parameters where parameter.name != "schema" {
            settings.append((parameter.name, parameter.value))
        }
        if let user = login.credentials?.user { settings.append(("user", user)) }
        if let password = login.credentials?.password { settings.append(("password", password)) }
        // The server keeps 63 bytes of it.
        settings.append(("application_name", String("\(Self.programPrefix)\(login.name)".prefix(63))))
        return settings
    }

    /// What the names of patchd's own sessions begin with.
    static let programPrefix = "patchd "
}
