import PatchFiles
public import PatchModel

extension WorkOrder {
    /// Takes what the daemon hands to a worker out of its standard input: the checked tree, and the order, which lies where
    /// the worker could not open it.
    ///
    /// - Returns: the tree as an open descriptor, and the order.
    public static func receive(from descriptor: Int32) throws(WorkerError) -> (tree: Int32, order: WorkOrder) {
        let parcel = try working("receive the order") { () throws(FileError) in
            try DescriptorParcel.unpack(descriptor, count: 2)
        }
        return (parcel[0], try WorkOrder(reading: File(adopting: parcel[1], path: "order")))
    }

    private init(reading file: borrowing File) throws(WorkerError) {
        var reader = PlanReader()
        do {
            try file.forEachLine(onError: { (error: FileError) -> any Error in error }) { (line, _) throws in
                try reader.take(line)
                return true
            }
            self = try reader.order()
        } catch {
            throw .failed(step: nil, .io, "cannot read the order: \(error)")
        }
    }
}
