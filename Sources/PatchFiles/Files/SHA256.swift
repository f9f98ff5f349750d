import CCrypto

/// An incremental SHA-256 (libcrypto's EVP interface).
public struct SHA256: ~Copyable {
    private let context: OpaquePointer?

    /// Starts with no bytes.
    public init() {
        context = EVP_MD_CTX_new()
        EVP_DigestInit_ex(context, EVP_sha256(), nil)
    }

    private init(copying other: borrowing SHA256) {
        context = EVP_MD_CTX_new()
        EVP_MD_CTX_copy_ex(context, other.context)
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Adds bytes.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    }

    /// The sum of the bytes until now; more can be added.
    public var soFar: String { SHA256(copying: self).finish() }

    /// The result: 64 lower case hexadecimal digits.
    public consuming func finish() -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        EVP_DigestFinal_ex(context, &digest, nil)
        var text: [UInt8] = []
        text.reserveCapacity(64)
        for byte in digest {
            text.append(Self.digit(byte >> 4))
            text.append(Self.digit(byte & 15))
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }

    /// The sum of some bytes.
    public static func hash(of bytes: [UInt8]) -> String {
        var sum = SHA256()
        bytes.withUnsafeBytes { sum.update($0) }
        return sum.finish()
    }
}

extension File {
    /// The SHA-256 of the whole content.
    public func sha256() throws(FileError) -> String {
        var sum = SHA256()
        try forEachBlock({ (block) throws(FileError) in sum.update(block) }, onError: { $0 })
        return sum.finish()
    }

    /// Copies the content to the end of another file.
    ///
    /// - Parameter limit: no more bytes than this, however much is written to it meanwhile.
    /// - Returns: the SHA-256 of what was copied.
    public func copy(to target: borrowing File, upTo limit: Int64 = .max) throws(FileError) -> String {
        var sum = SHA256()
        let out = target.descriptor
        let outPath = target.path
        try forEachBlock(
            upTo: limit,
            { (block) throws(FileError) in
                sum.update(block)
                try File.write(block, to: out, path: outPath)
            }, onError: { $0 })
        return sum.finish()
    }
}
