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
}
