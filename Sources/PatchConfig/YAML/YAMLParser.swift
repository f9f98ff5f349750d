import CYAML

/// What libyaml found next, copied out of its memory.
struct YAMLEvent {
    enum Kind {
        case streamStart, streamEnd, documentStart, documentEnd
        case alias(String)
        case text(String)
        case listStart, listEnd, mapStart, mapEnd
    }

    var kind: Kind
    let place: SourceLocation
    /// `&name`, if any.
    var anchor: String?
    /// `!name`, if any.
    var tag: String?
}

/// Not YAML: nothing after this position can be read.
struct YAMLSyntaxError: Error {
    let place: SourceLocation
    let message: String
}

/// libyaml's parser over the bytes of one file.
///
/// Both are kept on the heap: libyaml stores pointers to the parser itself and into the input.
struct YAMLParser: ~Copyable {
    private let handle: UnsafeMutablePointer<yaml_parser_t>
    private let input: UnsafeMutableBufferPointer<UInt8>
    private let file: String

    /// - Throws: ``YAMLSyntaxError`` when there is no memory for the parser.
    init(_ bytes: [UInt8], file: String) throws(YAMLSyntaxError) {
        let handle = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        guard yaml_parser_initialize(handle) == 1 else {
            handle.deallocate()
            throw YAMLSyntaxError(place: .file(file), message: "there is no memory to read it")
        }
        let input = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(1, bytes.count))
        _ = input.initialize(from: bytes)
        yaml_parser_set_input_string(handle, input.baseAddress, bytes.count)
        // With an encoding set, libyaml does not guess UTF-16 from a byte order mark.
        yaml_parser_set_encoding(handle, YAML_UTF8_ENCODING)
        self.handle = handle
        self.input = input
        self.file = file
    }

    deinit {
        yaml_parser_delete(handle)
        handle.deallocate()
        input.deallocate()
    }

    /// The next event.
    ///
    /// - Throws: ``YAMLSyntaxError`` when what follows is not YAML.
    mutating func next() throws(YAMLSyntaxError) -> YAMLEvent {
        var event = yaml_event_t()
        guard yaml_parser_parse(handle, &event) == 1 else { throw failure() }
        defer { yaml_event_delete(&event) }
        let place = place(event.start_mark)
        switch event.type {
        case YAML_STREAM_START_EVENT: return YAMLEvent(kind: .streamStart, place: place)
        case YAML_DOCUMENT_START_EVENT: return YAMLEvent(kind: .documentStart, place: place)
        case YAML_DOCUMENT_END_EVENT: return YAMLEvent(kind: .documentEnd, place: place)
        case YAML_ALIAS_EVENT:
            return YAMLEvent(kind: .alias(Self.text(event.data.alias.anchor) ?? ""), place: place)
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            return YAMLEvent(
                kind: .text(String(decoding: bytes, as: UTF8.self)), place: place,
                anchor: Self.text(scalar.anchor), tag: Self.text(scalar.tag))
        case YAML_SEQUENCE_START_EVENT:
            let start = event.data.sequence_start
            return YAMLEvent(
                kind: .listStart, place: place, anchor: Self.text(start.anchor), tag: Self.text(start.tag))
        case YAML_SEQUENCE_END_EVENT: return YAMLEvent(kind: .listEnd, place: place)
        case YAML_MAPPING_START_EVENT:
            let start = event.data.mapping_start
            return YAMLEvent(
                kind: .mapStart, place: place, anchor: Self.text(start.anchor), tag: Self.text(start.tag))
        case YAML_MAPPING_END_EVENT: return YAMLEvent(kind: .mapEnd, place: place)
        default: return YAMLEvent(kind: .streamEnd, place: place)
        }
    }

    private func failure() -> YAMLSyntaxError {
        let what = handle.pointee.problem.map { String(cString: $0) } ?? "no memory"
        guard handle.pointee.error != YAML_READER_ERROR else {
            // libyaml reports the byte offset only.
            let before = input.prefix(handle.pointee.problem_offset)
            let line = before.count { $0 == UInt8(ascii: "\n") } + 1
            let column = before.reversed().prefix { $0 != UInt8(ascii: "\n") }.count + 1
            return YAMLSyntaxError(
                place: SourceLocation(file: file, line: line, column: column),
                message: "this is not UTF-8 text: \(what)")
        }
        let context = handle.pointee.context.map { " \(String(cString: $0))" } ?? ""
        return YAMLSyntaxError(
            place: place(handle.pointee.problem_mark), message: "this is not YAML: \(what)\(context)")
    }

    private func place(_ mark: yaml_mark_t) -> SourceLocation {
        SourceLocation(file: file, line: mark.line + 1, column: mark.column + 1)
    }

    private static func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        pointer.map { String(cString: $0) }
    }
}
