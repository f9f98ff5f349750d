import PatchFiles
import PatchModel

/// Why an archive could not be checked, unpacked or written.
public enum ArchiveFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The archive is at fault or, when packing, the directory.
    case refused(Refusal)
    /// This host is at fault: a read failed, a disk is full. It says nothing about the archive.
    case failed(FileError)

    /// For people.
    public var description: String {
        switch self {
        case .refused(let refusal): refusal.description
        case .failed(let error): error.description
        }
    }

    /// A refusal, in the shape that everything in this module throws.
    static func refused(_ code: RefusalCode, at place: String = "", _ reason: String) -> ArchiveFailure {
        .refused(Refusal(code, at: place, reason))
    }

    /// The bytes have no reading, or more than one.
    static func malformed(at place: String = "", _ reason: String) -> ArchiveFailure {
        .refused(.archiveMalformed, at: place, reason)
    }
}

/// Runs calls on files and makes their errors this module's.
func onHost<T: ~Copyable>(_ body: () throws(FileError) -> T) throws(ArchiveFailure) -> T {
    do throws(FileError) {
        return try body()
    } catch {
        throw .failed(error)
    }
}

/// A raw name for messages: bytes that are not UTF-8 or not visible are escaped, and long names cut.
func shown(_ name: some Sequence<UInt8>) -> String {
    var text = ""
    for scalar in String(decoding: Array(name.prefix(200)), as: UTF8.self).unicodeScalars {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .unassigned, .privateUse:
            text += "\\u{\(String(scalar.value, radix: 16))}"
        default: text.unicodeScalars.append(scalar)
        }
    }
    return text
}
