import Glibc

extension File {
    /// Hands on the file's lines from an offset on, without their line feeds, in memory that grows with the longest line
    /// only.
    ///
    /// - Parameters:
    ///   - offset: where a line begins.
    ///   - longest: what is longer is cut there; the rest of the line is passed over.
    ///   - body: is given a line, and whether its line feed is there; only the last one may lack it. Ends the reading by
    ///     returning false.
    /// - Returns: where the first line begins that was not handed on as a whole.
    @discardableResult
    public func forEachLine<E: Error>(
        from offset: Int64 = 0, longest: Int = .max, onError: (FileError) -> E,
        _ body: (ArraySlice<UInt8>, _ isWhole: Bool) throws(E) -> Bool
    ) throws(E) -> Int64 {
        let feed = UInt8(ascii: "\n")
        var rest: [UInt8] = []
        var length = 0
        var start = offset
        var at = offset
        while true {
            let block: [UInt8]
            do throws(FileError) { block = try read(at: at, limit: 1 << 16) } catch { throw onError(error) }
            if block.isEmpty { break }
            at += Int64(block.count)
            var begin = block.startIndex
            while let end = block[begin...].firstIndex(of: feed) {
                length += end - begin
                let isGoingOn: Bool
                if rest.isEmpty {
                    isGoingOn = try body(block[begin..<min(end, begin + min(longest, block.count))], true)
                } else {
                    rest += block[begin..<end].prefix(max(0, longest - rest.count))
                    isGoingOn = try body(rest[...], true)
                    rest.removeAll(keepingCapacity: true)
                }
                start += Int64(length + 1)
                length = 0
                begin = end + 1
                if !isGoingOn { return start }
            }
            length += block.endIndex - begin
            rest += block[begin...].prefix(max(0, longest - rest.count))
        }
        if length > 0 { _ = try body(rest[...], false) }
        return start
    }
}
