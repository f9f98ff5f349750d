/// A client of the bus that asks without end and never reads: D-Bus by hand, as no library behaves like that.
enum BusFlood {
    /// Arguments: the socket, how many calls, and of which property. It says `sent` when they are, and stays.
    static let program = """
        import os, socket, struct, sys
        serial = 0
        def pad(data, to): return data + bytes(-len(data) % to)
        def text(value): return struct.pack('<I', len(value)) + value.encode() + bytes(1)
        def message(destination, path, interface, member, signature='', body=b''):
            global serial
            serial += 1
            fields = b''
            for code, kind, value in [(1, 'o', path), (2, 's', interface), (3, 's', member), (6, 's', destination),
                                      (8, 'g', signature)]:
                fields = pad(fields, 8) + bytes([code, 1]) + kind.encode() + bytes(1)
                fields += bytes([len(value)]) + value.encode() + bytes(1) if kind == 'g' else text(value)
            head = struct.pack('<cBBBIII', b'l', 1, 0, 1, len(body), serial, len(fields))
            return pad(head + fields, 8) + body
        bus = socket.socket(socket.AF_UNIX)
        bus.connect(sys.argv[1])
        bus.sendall(b'\\0AUTH EXTERNAL ' + str(os.getuid()).encode().hex().encode() + b'\\r\\n')
        bus.recv(1000)
        bus.sendall(b'BEGIN\\r\\n')
        own = ('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus')
        bus.sendall(message(*own, 'Hello'))
        bus.sendall(message(*own, 'AddMatch', 's', text("type='signal',sender='org.patchd1'")))
        asked = pad(text('org.patchd1.Manager'), 4) + text(sys.argv[3])
        for _ in range(int(sys.argv[2])):
            bus.sendall(message('org.patchd1', '/org/patchd1', 'org.freedesktop.DBus.Properties', 'Get', 'ss', asked))
        print('sent', flush=True)
        sys.stdin.read()

        """
}
