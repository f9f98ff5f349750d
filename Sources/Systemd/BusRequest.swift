/// What somebody on the bus wants of a ``BusObject``: checked, and refused with the errors that D-Bus has for it.
enum BusRequest: Hashable, Sendable {
    case introspect(path: String)
    case get(String)
    case getAll
    /// An error's name, and what it says to people.
    case refused(String, String)

    /// What a call asks for.
    init(_ call: borrowing BusMessage, of object: some BusObject) throws(SystemdError) {
        let path = call.path
        guard object.path == path || path == "/" || object.path.hasPrefix(path + "/") else {
            self = .refused(Self.unknownObject, "there is only \(object.path)")
            return
        }
        // Without an interface the first method of that name is meant.
        switch (call.interface, call.member, call.signature) {
        case (Self.introspectable, "Introspect", ""), ("", "Introspect", ""): self = .introspect(path: path)
        case (Self.introspectable, "Introspect", _), ("", "Introspect", _): self = .wrongArguments("")
        case _ where path != object.path: self = .refused(Self.unknownObject, "there is only \(object.path)")
        case (Self.properties, let member, let signature), ("", let member, let signature):
            self = try Self.ofProperties(call, member, signature, of: object)
        case (Self.introspectable, let member, _), (object.interface, let member, _):
            self = .refused(Self.unknownMethod, "there is no method \(member)")
        case (let interface, _, _): self = .refused(Self.unknownInterface, "there is no interface \(interface)")
        }
    }

    private static func ofProperties(
        _ call: borrowing BusMessage, _ member: String, _ signature: String, of object: some BusObject
    ) throws(SystemdError) -> BusRequest {
        switch (member, signature) {
        case ("Get", "ss"), ("Set", "ssv"), ("GetAll", "s"): break
        case ("Get", _): return .wrongArguments("ss")
        case ("Set", _): return .wrongArguments("ssv")
        case ("GetAll", _): return .wrongArguments("s")
        default: return .refused(unknownMethod, "there is no method \(member)")
        }
        let interface = try call.requiredText()
        guard interface == object.interface || interface.isEmpty else {
            return .refused(unknownInterface, "there are no properties but those of \(object.interface)")
        }
        if member == "GetAll" { return .getAll }
        let property = try call.requiredText()
        guard object.properties.contains(property) else {
            return .refused(unknownProperty, "there are the properties \(object.properties.joined(separator: ", "))")
        }
        return member == "Get" ? .get(property) : .refused(readOnly, "\(property) can only be read")
    }

    private static func wrongArguments(_ types: String) -> BusRequest {
        .refused(BusMessage.invalidArguments, types.isEmpty ? "it takes no arguments" : "it takes arguments \(types)")
    }

    private static let introspectable = "org.freedesktop.DBus.Introspectable"
    private static let properties = Bus.propertiesInterface
    private static let unknownObject = "org.freedesktop.DBus.Error.UnknownObject"
    private static let unknownInterface = "org.freedesktop.DBus.Error.UnknownInterface"
    private static let unknownMethod = "org.freedesktop.DBus.Error.UnknownMethod"
    private static let unknownProperty = "org.freedesktop.DBus.Error.UnknownProperty"
    private static let readOnly = "org.freedesktop.DBus.Error.PropertyReadOnly"
    static let accessDenied = "org.freedesktop.DBus.Error.AccessDenied"
    static let limitsExceeded = "org.freedesktop.DBus.Error.LimitsExceeded"

    /// What an object, or a node above it, has.
    static func introspection(at path: String, of object: some BusObject) -> String {
        let text = """
            <!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
             "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">

            """
        if path != object.path {
            let below = object.path.dropFirst(path == "/" ? 1 : path.count + 1).prefix { $0 != "/" }
            return text + "<node>\n <node name=\"\(below)\"/>\n</node>\n"
        }
        return text + """
            <node>
             <interface name="org.freedesktop.DBus.Peer">
              <method name="Ping"/>
              <method name="GetMachineId"><arg type="s" name="machine_uuid" direction="out"/></method>
             </interface>
             <interface name="\(introspectable)">
              <method name="Introspect"><arg name="xml_data" type="s" direction="out"/></method>
             </interface>
             <interface name="\(properties)">
              <method name="Get">
               <arg name="interface_name" direction="in" type="s"/>
               <arg name="property_name" direction="in" type="s"/>
               <arg name="value" direction="out" type="v"/>
              </method>
              <method name="GetAll">
               <arg name="interface_name" direction="in" type="s"/>
               <arg name="props" direction="out" type="a{sv}"/>
              </method>
              <method name="Set">
               <arg name="interface_name" direction="in" type="s"/>
               <arg name="property_name" direction="in" type="s"/>
               <arg name="value" direction="in" type="v"/>
              </method>
              <signal name="PropertiesChanged">
               <arg type="s" name="interface_name"/>
               <arg type="a{sv}" name="changed_properties"/>
               <arg type="as" name="invalidated_properties"/>
              </signal>
             </interface>
             <interface name="\(object.interface)">
            \(object.introspection)
             </interface>
            </node>

            """
    }
}
