import PatchModel
import Testing

@testable import Supervisor

@Suite struct `What is shared` {
    @Test func `are workers: an endpoint always has one, whatever another's do`() async {
        let slots = WorkerSlots(1)
        await slots.take(for: "payroll")
        // These would wait for ever.
        await slots.take(for: "stock")
        await slots.give(by: "stock")
        let second = Task { await slots.take(for: "payroll") }
        await slots.take(for: "stock")
        await slots.give(by: "payroll")
        await second.value
        await slots.give(by: "payroll")
        await slots.give(by: "stock")
        await slots.take(for: "payroll")
    }

    @Test func `is the queue of notices: refused archives, however many, displace and delay no others`() {
        let queue = NoticeQueue()
        for _ in 1...5000 { queue.add(Notice(.refused)) }
        queue.add(Notice(.pendingApproval))
        #expect(queue.next()?.notice.event == .pendingApproval)
        #expect(queue.next()?.notice.event == .refused)
        #expect(!queue.isEmpty)
    }
}
