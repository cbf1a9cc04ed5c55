using System.Collections.Concurrent;
using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.Encrypted.Serving;
using ActorTrainer.Actors.KeyHolder;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Model.Common;
using ActorTrainer.Tests.DataPlane;
using Xunit;

namespace ActorTrainer.Tests.Refresh;

public sealed class PeerRefreshChannelTests : IDisposable
{
    private static readonly RefreshPatience Pauses = new() { FirstPause = TimeSpan.FromSeconds(1), LongestPause = TimeSpan.FromSeconds(3), Answer = OwnerSide.Patience };

    private readonly SemaphoreSlim _entered = new(0);
    private readonly ManualResetEventSlim _leave = new(initialState: true);
    private readonly OwnerSide _owner;
    private readonly PlainNetwork _network = new();
    private readonly ManualTime _time = new();
    private readonly BlockingCollection<string> _notices = [];
    private readonly List<IDisposable> _servers = [];

    public PeerRefreshChannelTests() => _owner = new OwnerSide(new Watching((_, _, _) =>
    {
        _entered.Release();
        _leave.Wait(OwnerSide.Patience);
    }));

    public void Dispose()
    {
        _leave.Set();
        _owner.Dispose();
        _network.Dispose();
        _servers.ForEach(server => server.Dispose());
    }

    [Fact]
    public void Requests_of_several_stages_go_to_the_owner_and_back()
    {
        var server = Listen();
        var values = Enumerable.Range(1, 30).Select(i => i / 32.0).ToArray();
        var stages = Enumerable.Range(0, 3).Select(_ => _owner.Stage(Channel(server.Address))).ToArray();

        Parallel.For(0, 3, i =>
        {
            for (var round = 0; round < 3; round++)
            {
                var lifted = stages[i].Refresh(_owner.Low(values), 2, $"layers.{i}.x");
                Assert.All(_owner.Decrypt(lifted).Zip(values), pair => Assert.Equal(pair.Item2, pair.Item1, 1e-4));
            }

            stages[i].Report(_owner.Low(values), $"layers.{i}.gradient");
        });

        Assert.Equal(3 * 4 * 8, _owner.Served.Count);
        Assert.Empty(_notices);
    }

    [Fact]
    public async Task A_lost_owner_pauses_the_run_which_says_so_once_and_goes_on_when_it_is_back()
    {
        var server = Listen();
        var stage = _owner.Stage(Channel(server.Address));
        stage.Refresh(_owner.Low(0.25), 2, "a");
        server.Dispose();

        var lifting = OwnerSide.Start(() => stage.Refresh(_owner.Low(0.5), 2, "a"));
        var pauses = new List<TimeSpan>();
        for (var i = 0; i < 5; i++)
        {
            var pause = _time.Next();
            pauses.Add(pause.Length);
            if (i == 4)
            {
                Assert.Contains($"waits for the data owner at {server.Address}", _notices.Take());
                Assert.Empty(_notices);
                Listen(server.Address);
            }

            pause.End();
        }

        Assert.Equal(0.5, _owner.He.Decrypted(Assert.Single(await lifting.WaitAsync(OwnerSide.Patience))), 1e-4);
        Assert.Contains("again", _notices.Take());
        Assert.Empty(_notices);
        Assert.Equal([1.0, 2, 3, 3, 3], pauses.Select(pause => pause.TotalSeconds));
    }

    [Fact]
    public async Task What_was_unanswered_when_the_connection_broke_is_sent_again_and_answered_again()
    {
        var server = Listen();
        var stage = _owner.Stage(Channel(server.Address), new OwnerRefresherSettings(1, 4));
        _leave.Reset();
        var lifting = OwnerSide.Start(() => stage.Refresh(_owner.Low(0.1, 0.2, 0.3, 0.4), 2, "a"));
        Assert.True(_entered.Wait(OwnerSide.Patience) && _entered.Wait(OwnerSide.Patience)); // both threads are at work

        server.CutAll();
        _time.Next().End();
        _leave.Set();

        Assert.All(
            _owner.Decrypt(await lifting.WaitAsync(OwnerSide.Patience)).Zip([0.1, 0.2, 0.3, 0.4]),
            pair => Assert.Equal(pair.Item2, pair.Item1, 1e-4));
        Assert.Contains(_owner.Served, served => served.Outcome == OwnerProtocol.Outcome.AnsweredAgain);
        Assert.DoesNotContain(_owner.Served, served => served.Outcome == OwnerProtocol.Outcome.Rejected);
        Assert.Equal(4, _owner.Served.Select(served => served.Key).Distinct().Count());
    }

    [Fact]
    public void Connections_that_break_at_any_byte_lose_nothing()
    {
        var random = new Random(3);
        var server = Listen();
        var cuts = new ConcurrentQueue<long>(Enumerable.Range(0, 25).Select(_ => random.NextInt64(6000)));
        using var network = new PlainNetwork { Wrap = stream => cuts.TryDequeue(out var cut) ? new Cutting(stream, cut) : stream };
        using var channel = new PeerRefreshChannel(
            _owner.Context, network, server.Address, _notices.Add, new RefreshPatience { FirstPause = TimeSpan.FromTicks(1), LongestPause = TimeSpan.FromTicks(1) });
        var stage = _owner.Stage(channel, new OwnerRefresherSettings(2, 3));
        var values = Enumerable.Range(1, 12).Select(i => i / 16.0).ToArray();

        for (var round = 0; round < 12; round++)
        {
            var lifted = stage.Refresh(_owner.Low(values), 2, "a");
            Assert.All(_owner.Decrypt(lifted).Zip(values), pair => Assert.Equal(pair.Item2, pair.Item1, 1e-4));
        }

        Assert.Empty(cuts);
        Assert.DoesNotContain(_owner.Served, served => served.Outcome is OwnerProtocol.Outcome.Rejected or OwnerProtocol.Outcome.Failed);
    }

    [Fact]
    public async Task A_stage_that_waits_for_a_lost_owner_can_be_given_up_and_asks_again_in_the_next_attempt()
    {
        var server = Listen();
        server.Dispose();
        var stage = _owner.Stage(Channel(server.Address));
        var lifting = OwnerSide.Start(() => stage.Refresh(_owner.Low(0.5), 2, "a"));
        var pause = _time.Next();

        stage.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => lifting.WaitAsync(OwnerSide.Patience));

        Listen(server.Address);
        stage.Begin("r", 2, 1, Phase.Train, 0);
        pause.End();
        Assert.Single(stage.Refresh(_owner.Low(0.5), 2, "a"));
        Assert.Equal(2, Assert.Single(_owner.Served).Key.Attempt);
    }

    [Fact]
    public async Task A_channel_that_is_closed_ends_what_waits()
    {
        var server = Listen();
        server.Dispose();
        var channel = Channel(server.Address);
        var stage = _owner.Stage(channel);
        var lifting = OwnerSide.Start(() => stage.Refresh(_owner.Low(0.5), 2, "a"));
        _time.Next();

        channel.Dispose();
        channel.Dispose();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => lifting.WaitAsync(OwnerSide.Patience));
        Assert.Throws<ObjectDisposedException>(() => stage.Refresh(_owner.Low(0.5), 2, "a"));
    }

    [Fact]
    public void A_rejection_is_an_answer_and_the_connection_goes_on()
    {
        var stage = _owner.Stage(Channel(Listen().Address));
        stage.Begin("r", 2, 9, Phase.Train, 0);
        stage.Refresh(_owner.Low(0.5), 2, "a");
        stage.Begin("r", 2, 3, Phase.Train, 0);

        Assert.Contains("step 9", Assert.Throws<RefusedException>(() => stage.Refresh(_owner.Low(0.5), 2, "a")).Message);

        stage.Begin("r", 2, 8, Phase.Train, 0);
        Assert.Single(stage.Refresh(_owner.Low(0.5), 2, "a"));
        Assert.Empty(_notices);
    }

    [Fact]
    public async Task An_owner_that_answers_nonsense_or_nothing_is_asked_again()
    {
        var answers = new Queue<byte[]>([
            [],
            [1, 2, 3],
            RefreshProtocol.Frame(new RefreshProtocol.Answer(RefreshProtocol.Reply.Refreshed, 1, 1, long.MaxValue, ""), _owner.Context, []),
            RefreshProtocol.Frame(new RefreshProtocol.Answer(RefreshProtocol.Reply.Acknowledged, 1, 0, 0, ""), _owner.Context, []),
            RefreshProtocol.Frame(new RefreshProtocol.Answer(RefreshProtocol.Reply.Refreshed, 77, 1, long.MaxValue, ""), _owner.Context, []),
            RefreshProtocol.Frame(new RefreshProtocol.Answer(RefreshProtocol.Reply.Refreshed, 1, 1, 10, ""), _owner.Context, [_owner.Low(1)[0]]),
        ]);
        var tries = answers.Count;
        var server = Listen(handler: connection =>
        {
            byte[]? answer;
            lock (answers)
            {
                answers.TryDequeue(out answer);
            }

            if (answer is null)
            {
                _owner.Server.Handle(connection);
                return;
            }

            connection.Stream.Write(answer);
            connection.Dispose();
        });
        var stage = _owner.Stage(Channel(server.Address));

        var lifting = OwnerSide.Start(() => stage.Refresh(_owner.Low(0.5), 2, "a"));
        for (var i = 0; i < tries; i++)
        {
            _time.Next().End();
        }

        Assert.Single(await lifting.WaitAsync(OwnerSide.Patience));
        Assert.Equal(2, _notices.Count);
    }

    [Fact]
    public void Over_the_port_of_a_node_admitted_stages_are_served()
    {
        using var port = Network("owner", 1);
        port.Serve(PeerPurpose.Refresh, new RefreshServer(_owner.Owner, port.Counters, OwnerSide.Patience).Handle);
        port.Listen();
        using var network = Network("stage", 1);
        using var channel = new PeerRefreshChannel(_owner.Context, network, port.Address);

        var lifted = _owner.Stage(channel).Refresh(_owner.Low(0.5, 0.25), 2, "a");

        Assert.Equal(0.25, _owner.He.Decrypted(lifted[1]), 1e-4);
        Assert.Equal((1, 0), (port.Counters.Accepted, port.Counters.Malformed));
    }

    [Fact]
    public async Task A_stage_with_another_cluster_secret_is_not_served_and_says_why_it_waits()
    {
        using var port = Network("owner", 1);
        port.Serve(PeerPurpose.Refresh, new RefreshServer(_owner.Owner, port.Counters, OwnerSide.Patience).Handle);
        port.Listen();
        using var network = Network("stage", 2);
        using var channel = new PeerRefreshChannel(_owner.Context, network, port.Address, _notices.Add, Pauses, _time);
        var stage = _owner.Stage(channel);

        var lifting = OwnerSide.Start(() => stage.Refresh(_owner.Low(0.5), 2, "a"));
        _time.Next();
        stage.Cancel();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => lifting.WaitAsync(OwnerSide.Patience));
        Assert.Contains("cluster secret", _notices.Take());
        Assert.Empty(_owner.Served);
    }

    [Fact]
    public void An_address_that_is_none_is_refused_at_once() =>
        Assert.Throws<RefusedException>(() => new PeerRefreshChannel(_owner.Context, _network, "nowhere"));

    private static PeerNetwork Network(string node, byte secret) => new(new PeerSettings
    {
        Node = node,
        Incarnation = $"{node}-1",
        Secret = [.. Enumerable.Repeat(secret, 32)],
        HandshakeTimeout = OwnerSide.Patience,
    });

    private PlainNetwork Listen(string address = "", Action<PeerConnection>? handler = null)
    {
        var server = new PlainNetwork(address);
        server.Serve(PeerPurpose.Refresh, handler ?? _owner.Server.Handle);
        server.Listen();
        _servers.Add(server);
        return server;
    }

    private PeerRefreshChannel Channel(string address) => _owner.Own(new PeerRefreshChannel(_owner.Context, _network, address, _notices.Add, Pauses, _time));

    /// <summary>Breaks after so many bytes were written or read.</summary>
    private sealed class Cutting(Stream stream, long bytes) : Stream
    {
        private long _left = bytes;

        public override bool CanRead => true;

        public override bool CanWrite => true;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Flush() => stream.Flush();

        public override int Read(byte[] buffer, int offset, int count)
        {
            var read = stream.Read(buffer, offset, count);
            Count(read);
            return read;
        }

        public override void Write(byte[] buffer, int offset, int count)
        {
            var left = (int)Math.Min(count, Math.Max(0, Interlocked.Read(ref _left)));
            stream.Write(buffer, offset, left);
            Count(count);
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing) => stream.Dispose();

        private void Count(int count)
        {
            if (Interlocked.Add(ref _left, -count) < 0)
            {
                stream.Dispose();
                throw new IOException("cut");
            }
        }
    }
}
