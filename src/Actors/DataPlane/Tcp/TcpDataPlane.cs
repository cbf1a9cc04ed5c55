using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Model.Common;
using Akka.Actor;

namespace ActorTrainer.Actors.DataPlane.Tcp;

/// <summary>
/// The data plane between nodes. Every attempt of a run has a link of its own to every other node that plays a stage, opened when the first
/// stage of this node joins, so that a dead peer is known before the first step. What is for a stage of this node does not touch the wire.
/// </summary>
public sealed class TcpDataPlane : IDataPlane, IDisposable
{
    private const int LongestRunId = 200;

    private readonly IPeerNetwork _network;
    private readonly TcpDataPlaneOptions _options;
    private readonly PayloadReceiver _receiver;
    private readonly Timer _timer;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Membership> _runs = [];
    private bool _disposed;

    /// <summary>Serves payload connections of a network that does not listen yet.</summary>
    /// <param name="network">Connections between nodes; stays the caller's.</param>
    /// <param name="reader">Reads the payloads of the cluster's kind; called from many threads.</param>
    /// <param name="options">Limits.</param>
    public TcpDataPlane(IPeerNetwork network, IPayloadReader reader, TcpDataPlaneOptions options)
    {
        (_network, _options) = (network, options);
        _receiver = new PayloadReceiver(options, reader, network.Counters, Counters, Expects, Deliver);
        network.Serve(PeerPurpose.Payloads, _receiver.Handle);
        var interval = OutgoingLink.LookInterval(options);
        _timer = new Timer(_ => LookAtLinks(), null, interval, interval);
    }

    /// <summary>What this plane has done so far; bad and repeated frames are counted by the network.</summary>
    public PlaneCounters Counters { get; } = new();

    /// <inheritdoc/>
    /// <exception cref="RefusedException">The run's id is too long for a frame.</exception>
    public void Join(string run, int attempt, int stage, IActorRef receiver, IReadOnlyList<string> peers)
    {
        if (run.Length > LongestRunId)
        {
            throw new RefusedException($"The run id '{run}' has {run.Length} characters; the data plane takes {LongestRunId} at most. Give the run a shorter name.");
        }

        lock (_gate)
        {
            if (_disposed || (_runs.TryGetValue(run, out var membership) && membership.Attempt > attempt))
            {
                return;
            }

            if (membership is null || membership.Attempt < attempt)
            {
                membership?.Dispose();
                _runs[run] = membership = new Membership(attempt);
            }

            membership.Seats[stage] = new Seat(receiver, peers);
            foreach (var address in peers.Where(IsElsewhere).Distinct())
            {
                if (membership.Lost.TryGetValue(address, out var reason))
                {
                    membership.Tell(run, stage, address, reason);
                }
                else if (!membership.Links.ContainsKey(address))
                {
                    var link = new OutgoingLink(run, attempt, address, _network, _options, Counters, OnLost);
                    membership.Links.Add(address, link);
                    link.Start();
                }
            }
        }
    }

    /// <inheritdoc/>
    /// <exception cref="RefusedException">The payload is larger than allowed.</exception>
    public void Send(int from, int to, TransferKey key, IPayload payload)
    {
        if (payload.WireSize > _options.MaxPayloadBytes)
        {
            using var tooLarge = payload;
            throw new RefusedException(
                $"{key} has {payload.WireSize} bytes; the data plane takes {_options.MaxPayloadBytes} at most. Raise cluster.max_payload on all nodes or use smaller micro-batches.");
        }

        OutgoingLink? link = null;
        lock (_gate)
        {
            if (!_disposed && _runs.TryGetValue(key.Run, out var membership) && membership.Attempt == key.Attempt && membership.Seats.TryGetValue(from, out var seat))
            {
                var address = to >= 0 && to < seat.Peers.Count ? seat.Peers[to] : "";
                if (IsElsewhere(address))
                {
                    link = membership.Links.GetValueOrDefault(address);
                }
                else if (membership.Seats.TryGetValue(to, out var local))
                {
                    local.Receiver.Tell(new Arrived(key, payload), ActorRefs.NoSender);
                    return;
                }
            }
        }

        if (link is not null)
        {
            link.Send(to, key, payload);
        }
        else
        {
            payload.Dispose();
            Counters.CountStale();
        }
    }

    /// <summary>Ends all links and incoming connections, and drops what was still to be sent.</summary>
    public void Dispose()
    {
        List<OutgoingLink> links;
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            links = [.. _runs.Values.SelectMany(m => m.Links.Values)];
            _runs.Clear();
        }

        _timer.Dispose();
        links.ForEach(link => link.Dispose());
        _receiver.Dispose();
        links.ForEach(link => link.Join(_options.PingInterval));
    }

    private bool IsElsewhere(string address) => address.Length > 0 && address != _network.Address;

    private bool Expects(int to, TransferKey key)
    {
        lock (_gate)
        {
            return _runs.TryGetValue(key.Run, out var membership) && membership.Attempt == key.Attempt && membership.Seats.ContainsKey(to);
        }
    }

    private bool Deliver(int to, TransferKey key, IPayload payload)
    {
        lock (_gate)
        {
            if (!_runs.TryGetValue(key.Run, out var membership) || membership.Attempt != key.Attempt || !membership.Seats.TryGetValue(to, out var seat))
            {
                return false;
            }

            seat.Receiver.Tell(new Arrived(key, payload), ActorRefs.NoSender);
            return true;
        }
    }

    private void OnLost(OutgoingLink link, string reason)
    {
        lock (_gate)
        {
            if (_runs.TryGetValue(link.Run, out var membership) && membership.Links.GetValueOrDefault(link.Address) == link)
            {
                membership.Links.Remove(link.Address);
                membership.Lost[link.Address] = reason;
                foreach (var stage in membership.Seats.Keys)
                {
                    membership.Tell(link.Run, stage, link.Address, reason);
                }
            }
        }
    }

    private void LookAtLinks()
    {
        List<OutgoingLink> links;
        lock (_gate)
        {
            links = [.. _runs.Values.SelectMany(m => m.Links.Values)];
        }

        links.ForEach(link => link.Look());
    }

    /// <summary>A stage of this node.</summary>
    private sealed record Seat(IActorRef Receiver, IReadOnlyList<string> Peers);

    /// <summary>This node's part in the newest attempt of a run.</summary>
    private sealed class Membership(int attempt) : IDisposable
    {
        public int Attempt { get; } = attempt;

        public Dictionary<int, Seat> Seats { get; } = [];

        public Dictionary<string, OutgoingLink> Links { get; } = [];

        /// <summary>Address → why its link was given up.</summary>
        public Dictionary<string, string> Lost { get; } = [];

        public void Tell(string run, int stage, string address, string reason)
        {
            var seat = Seats[stage];
            var peer = seat.Peers.TakeWhile(a => a != address).Count();
            if (peer < seat.Peers.Count)
            {
                seat.Receiver.Tell(new LinkLost(run, Attempt, peer, reason), ActorRefs.NoSender);
            }
        }

        public void Dispose()
        {
            foreach (var link in Links.Values)
            {
                link.Dispose();
            }
        }
    }
}
