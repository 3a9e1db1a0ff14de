import Addresses
import DNSResolution
import Linux

extension DNSServer {
    /// Streams that may be open at once, and for one client.
    private static let maximumStreams = 512
    private static let maximumStreamsOfClient = 64

    /// Takes the connections that have been made.
    func accept(_ listener: DNSListener) {
        var client = IPAddress.unspecified(.ipv4)
        while let socket = Sockets.accept(listener.socket, from: &client) {
            guard streams.count < Self.maximumStreams else {
                state.losses.count(.connections)
                continue
            }
            guard streams.values.lazy.filter({ $0.client == client }).count < Self.maximumStreamsOfClient else {
                state.losses.count(.clientConnections)
                continue
            }
            let id = makeID()
            do throws(SystemError) {
                try poller.add(socket, .read, token: PollToken(.stream, id).rawValue)
                streams[id] = ClientStream(socket: socket, client: client, now: now)
            } catch {
                state.losses.count(.system)
            }
        }
    }

    /// Reads and answers what a connection has brought.
    func serve(stream id: UInt32) {
        guard let stream = streams[id] else { return }
        do throws(SystemError) {
            let isOpen = try stream.receive()
            while let query = stream.nextMessage(now: now) {
                guard answer(query, of: stream, id) else { return }
            }
            try send(stream, id)
            if !isOpen, stream.waiting == 0 { close(stream: id) }
        } catch {
            drop(id, .broken)
        }
        if !resolver.refreshes.isEmpty { refresh() }
    }

    /// Answers one query, or lets it wait; false if the connection has ended by it.
    private func answer(_ query: [UInt8], of stream: ClientStream, _ id: UInt32) -> Bool {
        resolver.buffer.borrow(streamBuffer)
        switch resolver.resolve(query, isDatagram: false, client: stream.client, now: now) {
        case .reply: stream.enqueue(resolver.buffer.bytes)
        case .ignore:
            drop(id, .broken)
            return false
        case .needs(let key):
            guard stream.waiting < ClientStream.maximumWaiting else {
                drop(id, .waiting)
                return false
            }
            stream.waiting += 1
            wait(Waiter(query: query, client: stream.client, destination: .stream(id), now: now), for: key)
        }
        return true
    }

    /// Sends what waits, and ends a connection that does not take it any more.
    func flush(_ stream: ClientStream, _ id: UInt32) {
        do throws(SystemError) {
            try send(stream, id)
        } catch {
            drop(id, .broken)
        }
    }

    private func send(_ stream: ClientStream, _ id: UInt32) throws(SystemError) {
        let interest = try stream.flush()
        try poller.modify(stream.socket, interest, token: PollToken(.stream, id).rawValue)
    }

    /// Ends the connections whose time is over.
    func closeIdleStreams() {
        for (id, stream) in streams where now >= stream.deadline {
            if stream.hasSpoken { close(stream: id) } else { drop(id, .silent) }
        }
    }

    private func drop(_ id: UInt32, _ reason: LossReason) {
        state.losses.count(reason)
        close(stream: id)
    }

    private func close(stream id: UInt32) { streams[id] = nil }
}
