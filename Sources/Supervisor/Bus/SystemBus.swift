/// Where other programs see the daemon's ``PublishedState``: `org.patchd1` on the system bus.
public protocol SystemBus: Sendable {
    /// Shows the state, and sends its changes, until the connection breaks. Blocks; called on a thread of its own.
    ///
    /// - Parameter whenReached: called when others can see it.
    /// - Throws: always: why it is not there, or not any more.
    func serve(_ state: PublishedState, whenReached: () -> Void) throws

    /// There are changes to send. Never blocks.
    func wake()
}
