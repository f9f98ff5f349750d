import Glibc
import PatchFiles
import PatchModel
import PatchSQL

extension FolderContext {
    /// Where what becomes of a database outside of the folder lies in a copy of the folder.
    static let databaseDirectory = WorkArea.name + "/rehearsed-database"

    /// What the copy of the folder's database is to be; nil where it has none.
    func copyOrder() throws(SQLError) -> CopyOrder? {
        guard let database = order.database, database.isKnown else { return nil }
        let host = (try? File.open("/etc/machine-id").read(limit: 64)) ?? []
        let prefix = CopyName.prefix(
            endpoint: order.endpoint, folder: order.plan.folder,
            identity: [String(decoding: host, as: UTF8.self), order.endpoint, order.plan.folder]
                + database.url.identity(in: order.plan.path))
        let inside = database.url.files(in: order.plan.path).first.map(\.description)
        let name = database.url.file.map { Directory.split($0).name } ?? "copy"
        return CopyOrder(
            live: database.url, name: "\(prefix)\(order.job)", prefix: prefix,
            place: inside ?? Self.databaseDirectory + "/" + name,
            limit: order.rehearsal?.limit ?? .max, account: try account())
    }

    /// The account whose rights end at copies; nil where the worker was given none.
    private func account() throws(SQLError) -> Credentials? {
        guard let path = rehearseCredentials, access(path, F_OK) == 0 else { return nil }
        let bytes: [UInt8]
        do throws(FileError) { bytes = try File.open(path).read(limit: 64 << 10) } catch {
            throw SQLError(.database, "read rehearseCredentials", "\(error)")
        }
        return try Credentials(bytes, name: "rehearseCredentials")
    }
}
