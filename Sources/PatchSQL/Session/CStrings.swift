import Glibc

/// Texts as C functions take them.
enum CStrings {
    /// Hands on an array of pointers that ends with a null pointer; a text that is nil is null as well. Valid only while the
    /// body runs.
    static func with<Value>(
        _ texts: [String?], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Value
    ) -> Value {
        let copies: [UnsafeMutablePointer<CChar>?] = texts.map { text in text.flatMap { strdup($0) } }
        defer { for copy in copies { free(copy) } }
        let pointers: [UnsafePointer<CChar>?] = copies.map { $0.map { UnsafePointer($0) } } + [nil]
        return pointers.withUnsafeBufferPointer { buffer in
            guard let first = buffer.baseAddress else { return withUnsafePointer(to: nil, body) }
            return body(first)
        }
    }
}
