import Glibc
import PatchModel

/// A database's client library, loaded when a folder needs it: a host whose databases are files installs none. It stays
/// loaded until the process ends.
struct ClientLibrary: Sendable {
    private let name: String
    private let package: String
    private let handle: UInt

    /// Loads a library.
    ///
    /// - Parameters:
    ///   - name: with the number of its interface: `libpq.so.5`.
    ///   - package: the Debian package that has it.
    /// - Throws: with the code `database` where it is not installed.
    init(_ name: String, package: String) throws(SQLError) {
        guard let handle = dlopen(name, RTLD_NOW | RTLD_LOCAL) else {
            throw SQLError(
                .database, "load \(name)", dlerror().map { String(cString: $0) } ?? "it cannot be loaded",
                wayOut: "apt install \(package)")
        }
        self.name = name
        self.package = package
        self.handle = UInt(bitPattern: handle)
    }

    /// A function of the library as a C function type. That it has this type is for its documentation to say.
    func function<Function>(_ symbol: String, as type: Function.Type = Function.self) throws(SQLError) -> Function {
        guard let address = dlsym(UnsafeMutableRawPointer(bitPattern: handle), symbol) else {
            throw SQLError(
                .database, "use \(name)", "it has no \(symbol)", wayOut: "install the \(package) of this Debian release"
            )
        }
        return unsafeBitCast(address, to: type)
    }
}
