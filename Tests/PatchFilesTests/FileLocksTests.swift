import PatchFiles
import Testing

@Suite struct `The kernel's locks` {
    @Test func `are read as the kernel writes them`() {
        let text = """
            1: POSIX  ADVISORY  WRITE 8563 fe:00:16220796 1073741825 1073741825
            1: -> POSIX  ADVISORY  WRITE 999 fe:00:16220796 0 EOF
            2: FLOCK  ADVISORY  WRITE 8433 fe:00:16220744 0 EOF
            3: OFDLCK ADVISORY  READ -1 fe:00:5 0 EOF
            4: POSIX  ADVISORY  READ 7 08:01:5 0 EOF
            nonsense
            """
        let locks = FileLocks.locks(in: text).filter { $0.kind == .posix }
        #expect(locks.count == 2)
        #expect(locks.first?.pid == 8563 && locks.first?.writes == true && locks.first?.inode == 16_220_796)
        #expect(locks.last?.device == "08:01" && locks.last?.bytes == 0...UInt64.max && locks.last?.writes == false)
    }
}
