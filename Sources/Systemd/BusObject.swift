/// What stands on the bus under a name of its own: properties that can be read, and signals. There is nothing to call.
public protocol BusObject: Sendable {
    /// Its well-known name; the object's path and its interface follow from it: `org.patchd1`, `/org/patchd1`,
    /// `org.patchd1.Manager`.
    var name: String { get }
    /// What its interface has, as the XML of an introspection: the elements within `<interface>`.
    var introspection: String { get }
    /// The names of its properties.
    var properties: [String] { get }

    /// What a property has now.
    func value(of property: String) -> BusValue

    /// Whether everybody may read a property.
    func isPublic(_ property: String) -> Bool

    /// Whether a user may read the properties that are not for everybody.
    func mayRead(uid: UInt32, groups: [UInt32]) -> Bool

    /// The next signal, in their order; nil while there is none. Asked for when the one before has left.
    func nextSignal() -> BusSignal?
}

/// A signal of a ``BusObject``.
public enum BusSignal: Hashable, Sendable {
    /// One of its own interface, with its values.
    case own(String, [BusValue])
    /// These properties have changed, and can be read: `PropertiesChanged`.
    case changed([String])
}

extension BusObject {
    /// `org.patchd1` is at `/org/patchd1`.
    var path: String { "/" + name.split(separator: ".").joined(separator: "/") }

    var interface: String { name + ".Manager" }
}
