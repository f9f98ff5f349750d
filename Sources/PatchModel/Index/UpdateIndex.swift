/// What an index says of one update.
public struct IndexedUpdate: Hashable, Sendable {
    /// As in the manifest.
    public var name: String
    /// As in the manifest.
    public var version: Version
    /// As in the manifest.
    public var dependency: Version
    /// Of the archive, in bytes.
    public var size: UInt64
    /// Of the archive.
    public var sha256: String
    /// Of the archive.
    public var url: SourceURL
    /// Of its signature.
    public var signature: SourceURL

    /// Memberwise.
    public init(
        name: String, version: Version, dependency: Version, size: UInt64, sha256: String, url: SourceURL,
        signature: SourceURL
    ) {
        self.name = name
        self.version = version
        self.dependency = dependency
        self.size = size
        self.sha256 = sha256
        self.url = url
        self.signature = signature
    }
}

/// What a vendor offers (contract §13).
public struct UpdateIndex: Hashable, Sendable {
    /// Bytes that an index may have; they are in memory at once.
    public static let limit = 4 << 20
    /// Updates that it may name.
    public static let most = 10_000

    /// Goes up with every change.
    public var serial: Int
    /// In the index' order.
    public var updates: [IndexedUpdate]

    /// Reads an index. Keys that are not known are ignored.
    ///
    /// - Parameters:
    ///   - bytes: the whole of it.
    ///   - url: where it lies: what it names is relative to that.
    /// - Throws: ``Refusal`` with the code `manifestInvalid`, or `limitExceeded`, for the first defect.
    public init(strictJSON bytes: [UInt8], at url: SourceURL) throws(Refusal) {
        guard bytes.count <= Self.limit else {
            throw Refusal(.limitExceeded, at: "index", "has more than \(Self.limit) bytes")
        }
        let top = try JSONReader(strictJSON: bytes, file: "index", refusedAs: .manifestInvalid)
        let members = try top.members()
        let schema = try members.required("schema", of: top)
        guard try schema.integer() == 1 else { throw schema.refusal("must be 1, the only form that is known here") }
        let serial = try members.required("serial", of: top)
        self.serial = try serial.integer()
        guard self.serial >= 0 else { throw serial.refusal("must not be below 0") }
        let list = try members.required("updates", of: top)
        let elements = try list.list()
        guard elements.count <= Self.most else {
            throw Refusal(
                .limitExceeded, at: list.place.description,
                "names \(elements.count) updates; \(Self.most) are allowed")
        }
        updates = []
        var known: Set<Key> = []
        for element in elements {
            let update = try IndexedUpdate(element, in: url)
            guard known.insert(Key(name: update.name, version: update.version)).inserted else {
                throw element.refusal("names \(update.name) \(update.version) again")
            }
            updates.append(update)
        }
    }

    private struct Key: Hashable {
        var name: String
        var version: Version
    }

    /// Whether this index may follow another one of the same source: nobody goes back to an older one, or changes one
    /// that was published.
    ///
    /// - Parameter isSame: whether both have the same bytes.
    /// - Throws: ``Refusal``.
    public func check(after last: UpdateIndex, isSame: Bool) throws(Refusal) {
        if serial < last.serial {
            throw Refusal(
                .manifestInvalid, at: "index: serial",
                "\(serial) is below \(last.serial), which was seen before: this is an older index")
        }
        if serial == last.serial, !isSame {
            throw Refusal(
                .manifestInvalid, at: "index: serial",
                "an index with the serial \(serial) was seen before and said something else; each change needs a higher one"
            )
        }
    }
}

extension IndexedUpdate {
    fileprivate init(_ reader: JSONReader, in index: SourceURL) throws(Refusal) {
        let members = try reader.members()
        let version = try members.required("version", of: reader)
        let url = try members.required("url", of: reader)
        let size = try members.required("size", of: reader)
        let sum = try members.required("sha256", of: reader)
        let place = try url.url(in: index)
        let signature = try members["sig"]?.url(in: index) ?? place.signature
        guard let signature else {
            throw url.refusal("is too long for the name of its signature; name that as \"sig\"")
        }
        self.init(
            name: try members.required("name", of: reader).patchName(), version: try version.version(),
            dependency: try members.required("dependency", of: reader).version(), size: try size.count(),
            sha256: try sum.sha256(), url: place, signature: signature)
        guard self.version > dependency else {
            throw version.refusal("\(self.version) is not above the dependency \(dependency)")
        }
    }
}

extension [String: JSONReader] {
    fileprivate func required(_ key: String, of object: JSONReader) throws(Refusal) -> JSONReader {
        guard let member = self[key] else { throw object.refusal("the key \"\(key)\" is missing") }
        return member
    }
}

extension JSONReader {
    /// Whatever keys there are.
    fileprivate func members() throws(Refusal) -> [String: JSONReader] {
        Dictionary(try anyObject().map { ($0.name, $0.value) }) { first, _ in first }
    }

    fileprivate func count() throws(Refusal) -> UInt64 {
        let number = try integer()
        guard number >= 0 else { throw refusal("must not be below 0") }
        return UInt64(number)
    }

    fileprivate func sha256() throws(Refusal) -> String {
        let text = try text()
        guard text.utf8.count == 64,
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else { throw refusal("must be 64 hexadecimal digits, in lower case") }
        return text
    }

    fileprivate func url(in index: SourceURL) throws(Refusal) -> SourceURL {
        guard let url = index.resolved(try text()) else {
            throw refusal("must be an \(index.scheme.rawValue): URL, as the index' own, or one relative to the index")
        }
        return url
    }
}
