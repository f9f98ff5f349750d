import CFirebird

/// The values of a row, or the parameters of a statement, with the memory that they point into.
struct FirebirdValues: ~Copyable {
    let row: UnsafeMutablePointer<patch_fb_row>
    private var memory: UnsafeMutableRawBufferPointer?

    /// Types of values; an odd number says that it may be NULL.
    enum Kind {
        static let text: Int16 = 452
        static let varying: Int16 = 448
        static let blob: Int16 = 520
        static let array: Int16 = 540
    }

    /// The character set UTF8, in which the connection is.
    static let utf8: Int16 = 4
    /// Bytes that any number, time or truth value has as a text, and more.
    private static let valueLength: Int16 = 80

    init(count: Int16) { row = patch_fb_row_new(max(count, 1)) }

    deinit {
        memory?.deallocate()
        free(row)
    }

    var count: Int { Int(row.pointee.count) }
    /// Whether a description did not fit.
    var isTooSmall: Bool { row.pointee.count > row.pointee.allocated }

    func value(_ index: Int) -> UnsafeMutablePointer<patch_fb_value> { patch_fb_row_value(row, Int16(index)) }

    func kind(_ index: Int) -> Int16 { value(index).pointee.type & ~1 }

    // MARK: Rows

    /// Makes room for rows of which everything but blobs comes as a text.
    mutating func makeRoom() {
        for index in 0..<count {
            let value = value(index)
            switch kind(index) {
            case Kind.blob, Kind.array: value.pointee.length = 8
            case Kind.text, Kind.varying: value.pointee.type = Kind.varying
            default:
                value.pointee.type = Kind.varying
                value.pointee.length = Self.valueLength
                value.pointee.subtype = 0
                value.pointee.scale = 0
            }
            value.pointee.type |= 1
        }
        let sizes = (0..<count).map { (Int(value($0).pointee.length) + 2 + 7) & ~7 }
        point(sizes)
    }

    /// A text of the row that was fetched, nil for NULL; a blob's is for ``FirebirdConnection`` to read.
    func text(_ index: Int) -> String? {
        let value = value(index).pointee
        guard let data = value.data, value.null?.pointee != -1 else { return nil }
        let length = UnsafeRawPointer(data).loadUnaligned(as: UInt16.self)
        return String(decoding: UnsafeRawBufferPointer(start: data + 2, count: Int(length)), as: UTF8.self)
    }

    /// The blob of the row that was fetched; nil for NULL.
    func blob(_ index: Int) -> patch_fb_blob_id? {
        let value = value(index).pointee
        guard let data = value.data, value.null?.pointee != -1 else { return nil }
        return UnsafeRawPointer(data).loadUnaligned(as: patch_fb_blob_id.self)
    }

    // MARK: Parameters

    /// Whether parameters can take texts of these lengths: 32 KiB is the limit of those that are no blobs.
    static let textLimit = 32_767

    /// Sets the parameters. What the database converts a text to is its business.
    ///
    /// - Parameter blobs: by their places, those that were written for it.
    mutating func set(_ values: [String?], blobs: [Int: patch_fb_blob_id]) {
        let sizes = values.indices.map { index in
            blobs[index] == nil ? (max(values[index]?.utf8.count ?? 0, 1) + 7) & ~7 : 8
        }
        for (index, text) in values.enumerated() {
            let value = value(index)
            if blobs[index] != nil {
                value.pointee.type = Kind.blob | 1
                value.pointee.length = 8
            } else {
                value.pointee.type = Kind.text | 1
                value.pointee.subtype = Self.utf8
                value.pointee.scale = 0
                value.pointee.length = Int16(clamping: text?.utf8.count ?? 0)
            }
        }
        point(sizes)
        for (index, text) in values.enumerated() {
            let value = value(index).pointee
            value.null?.pointee = text == nil ? -1 : 0
            guard let data = value.data else { continue }
            if let blob = blobs[index] {
                UnsafeMutableRawPointer(data).storeBytes(of: blob, as: patch_fb_blob_id.self)
            } else if let text {
                UnsafeMutableRawBufferPointer(start: data, count: text.utf8.count).copyBytes(from: text.utf8)
            }
        }
    }

    /// Lets each value point to memory of a size, behind which the flags for NULL lie.
    private mutating func point(_ sizes: [Int]) {
        memory?.deallocate()
        let total = sizes.reduce(0, +)
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: total + 2 * max(count, 1), alignment: 8)
        memory = room
        guard let start = room.baseAddress else { return }
        var offset = 0
        for (index, size) in sizes.enumerated() {
            let value = value(index)
            value.pointee.data = (start + offset).assumingMemoryBound(to: CChar.self)
            value.pointee.null = (start + total + 2 * index).bindMemory(to: Int16.self, capacity: 1)
            value.pointee.null.pointee = 0
            offset += size
        }
    }
}
