extension Manifest {
    /// Reads and checks `update.json` (contract §4).
    ///
    /// - Parameters:
    ///   - bytes: The whole file.
    ///   - file: What it is called, for messages; older vendors call it otherwise.
    /// - Throws: ``Refusal`` with the code `manifestInvalid` (`limitExceeded` for too many or too long patterns) for the
    ///   first defect, at a place like `update.json: patches[1].path`. What needs the archive's contents is checked by ``CheckedUpdate``.
    public init(strictJSON bytes: [UInt8], file: String = "update.json") throws(Refusal) {
        let top = try JSONReader(strictJSON: bytes, file: file, refusedAs: .manifestInvalid)
        let members = try top.object(
            required: ["name", "version", "dependency", "patches"],
            optional: ["description", "critical", "endpoints"])
        guard let name = members["name"], let version = members["version"], let dependency = members["dependency"],
            let patches = members["patches"]
        else { throw top.refusal("a required key is missing") }

        self.init(
            name: try name.patchName(), version: try version.version(), dependency: try dependency.version(),
            description: try members["description"]?.text(lines: true) ?? "",
            patches: try Self.patches(patches),
            critical: try members["critical"]?.flag() ?? false,
            endpoints: try members["endpoints"]?.globs())
        guard self.version > self.dependency else {
            throw version.refusal("\(self.version) is not above the dependency \(self.dependency)")
        }
        if let endpoints = members["endpoints"], self.endpoints?.isEmpty ?? false {
            throw endpoints.refusal("names no endpoint; leave the key out where the update is for all")
        }
    }

    private static func patches(_ list: JSONReader) throws(Refusal) -> [Patch] {
        let elements = try list.list()
        guard !elements.isEmpty else { throw list.refusal("must have one patch at least") }
        var patches: [Patch] = []
        var names: Set<String> = []
        for element in elements {
            let patch = try Patch(element)
            guard names.insert(patch.name).inserted else {
                throw element.refusal(at: "name", "an earlier patch is called \"\(patch.name)\" too")
            }
            patches.append(patch)
        }
        try refuseNested(patches, in: elements)
        return patches
    }

    /// Sorted by components, a path is followed by what is below it, so only neighbours have to be compared.
    private static func refuseNested(_ patches: [Patch], in elements: [JSONReader]) throws(Refusal) {
        let sorted = zip(patches, elements).map { (path: ExactText($0.path), patch: $0, element: $1) }.sorted {
            $0.path.components.lexicographicallyPrecedes($1.path.components) { $0.lexicographicallyPrecedes($1) }
        }
        for (outer, inner) in zip(sorted, sorted.dropFirst())
        where outer.path == inner.path || inner.path.isBelow(outer.path) {
            let relation = outer.path == inner.path ? "is" : "lies below"
            throw inner.element.refusal(
                at: "path", "\(relation) the path of patch \"\(outer.patch.name)\"; paths must not overlap")
        }
    }
}

extension Patch {
    fileprivate init(_ reader: JSONReader) throws(Refusal) {
        let members = try reader.object(
            required: ["name", "type", "mandatory", "path"],
            optional: ["description", "target", "default", "keep", "delete", "outOfOrder"])
        guard let name = members["name"], let type = members["type"], let mandatory = members["mandatory"],
            let path = members["path"]
        else { throw reader.refusal("a required key is missing") }
        self.init(
            name: try name.patchName(), type: try type.word(), mandatory: try mandatory.flag(),
            path: try path.directoryPath(),
            description: try members["description"]?.text(lines: true) ?? "",
            target: try members["target"]?.target() ?? .all,
            isOnByDefault: try members["default"]?.flag() ?? true,
            keep: try members["keep"]?.globs() ?? [],
            delete: try members["delete"]?.deletions(),
            outOfOrder: try members["outOfOrder"]?.flag())
    }
}

extension JSONReader {
    fileprivate func refusal(at key: String, _ reason: String) -> Refusal {
        Refusal(code, at: place.key(key).description, reason)
    }

    func patchName() throws(Refusal) -> String {
        let text = try text()
        guard (1...64).contains(text.utf8.count), text.utf8.allSatisfy(isNameByte) else {
            throw refusal("\"\(text.prefix(80))\" is no name: 1 to 64 characters out of A-Z a-z 0-9 . _ -")
        }
        return text
    }

    private func isNameByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF) && byte < 0x80 || "._-".utf8.contains(byte)
    }

    fileprivate func word() throws(Refusal) -> String {
        let text = try text()
        guard !text.isEmpty, !text.unicodeScalars.contains(where: \.properties.isWhitespace) else {
            throw refusal("must be one word: \(Patch.everyFolder), or the module that a folder must have")
        }
        // A typo in it would match no folder, and the update would set versions and install nothing.
        guard !text.hasPrefix("$") || text == Patch.everyFolder else {
            throw refusal(
                "\"\(text.prefix(80))\" begins with $ and is not \(Patch.everyFolder), the type of every folder; "
                    + "a module's name has no $ in front")
        }
        return text
    }

    fileprivate func target() throws(Refusal) -> Patch.Target {
        let text = try text()
        guard let target = Patch.Target(rawValue: text) else {
            throw refusal("must be \"all\" or \"supervisor\", not \"\(text.prefix(80))\"")
        }
        return target
    }

    /// Paths that no other of the list equals, relative to the folder.
    fileprivate func deletions() throws(Refusal) -> [String] {
        var paths: [String] = []
        var known: Set<ExactText> = []
        for element in try list() {
            let path = try element.cleanPath()
            if let problem = EntryName.reservedProblem(inFolder: path.description) { throw element.refusal(problem) }
            guard known.insert(path).inserted else { throw element.refusal("names \"\(path)\" again") }
            paths.append(path.description)
        }
        return paths
    }

    /// A clean relative path, without a directory's slash at its end.
    private func cleanPath() throws(Refusal) -> ExactText {
        var bytes = ExactText(try text()).bytes
        if bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        if let problem = EntryName.problem(in: bytes) { throw refusal(problem) }
        return ExactText(bytes: bytes)
    }

    fileprivate func directoryPath() throws(Refusal) -> String {
        let path = try cleanPath()
        if path.components.contains(where: { $0.starts(with: ".patchd".utf8) }) {
            throw refusal("names that begin with .patchd are patchd's own")
        }
        return path.description
    }
}
