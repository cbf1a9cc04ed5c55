using System.Collections.Concurrent;
using System.Numerics;
using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.Encrypted.Serving;
using ActorTrainer.Actors.KeyHolder;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.He.Approximation;
using ActorTrainer.He.Circuits;
using ActorTrainer.He.Layers;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;
using ActorTrainer.Model.Common;
using ActorTrainer.Tests.He;
using Xunit;

namespace ActorTrainer.Tests.Refresh;

public sealed class DataOwnerTests
{
    [Fact]
    public async Task No_more_requests_are_computed_at_a_time_than_there_are_threads()
    {
        var (inside, most) = (0, 0);
        using var both = new CountdownEvent(2);
        using var leave = new ManualResetEventSlim();
        using var owner = new OwnerSide(
            new Watching((_, _, _) =>
            {
                var now = Interlocked.Increment(ref inside);
                lock (leave)
                {
                    most = Math.Max(most, now);
                    if (!both.IsSet)
                    {
                        both.Signal();
                    }
                }

                leave.Wait(OwnerSide.Patience);
                Interlocked.Decrement(ref inside);
            }),
            settings: new DataOwnerSettings(Threads: 2));
        var lifting = Enumerable.Range(0, 3).Select(i => OwnerSide.Start(() =>
            owner.Stage(settings: new OwnerRefresherSettings(1, 4)).Refresh(owner.Low([.. Enumerable.Repeat(0.5, 8)]), 2, $"site-{i}"))).ToArray();

        Assert.True(both.Wait(OwnerSide.Patience));
        leave.Set();

        Assert.All(await Task.WhenAll(lifting), lifted => Assert.Equal(8, lifted.Count));
        Assert.Equal(2, most);
    }

    [Fact]
    public async Task A_connection_is_not_read_on_while_its_requests_are_unanswered_or_too_many_wait()
    {
        const int Sent = 20;
        using var leave = new ManualResetEventSlim();
        using var owner = new OwnerSide(new Watching((_, _, _) => leave.Wait(OwnerSide.Patience)), settings: new DataOwnerSettings(Threads: 1, MaxQueued: 2));
        var frames = Enumerable.Range(0, Sent).Select(i => Frame(owner, i)).ToArray();
        using var feed = new FedStream(frames);
        var serving = OwnerSide.Start(() =>
        {
            owner.Server.Handle(new PeerConnection(feed, "stage", "1"));
            return true;
        });

        // One is computed, two wait, and one that was read waits for their place.
        Assert.True(SpinWait.SpinUntil(() => feed.Taken >= 4, OwnerSide.Patience));
        Assert.False(SpinWait.SpinUntil(() => feed.Taken > 4, TimeSpan.FromMilliseconds(50)));
        leave.Set();

        await serving.WaitAsync(OwnerSide.Patience);
        Assert.Equal(Sent, owner.Served.Count);
        Assert.Equal(0, owner.Counters.Malformed);

        byte[] Frame(OwnerSide side, int number) => new RefreshRequest(
            RefreshProtocol.Question.Refresh, new RefreshKey("r", 1, 1, Phase.Train, 0, "a", number), 2, 1).Frame(number, side.Context, side.Low(0.5));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Slots_far_out_of_range_are_answered_as_all_others_and_only_the_owners_guard_knows(bool wild)
    {
        using var he = new HeFixture(ParameterSets.ToyL15, []);
        var guard = new RangeGuard([new SiteRange("variance", -2, 2), new SiteRange("other", 0, 1)]);
        var served = new ConcurrentQueue<OwnerProtocol.Served>();
        using var owner = new DataOwner(he.Context, he.Secret, new RefreshBook(), new DataOwnerSettings(1), guard, served.Enqueue);
        using var channel = new LocalRefreshChannel(he.Context, new RefreshServer(owner, new PeerCounters(), OwnerSide.Patience).Handle);
        var stage = new OwnerRefresher(he.Context, channel);
        stage.Begin("r", 1, 3, Phase.Train, 0);
        using var a = he.Encrypt(he.Random(1), 3);
        using var huge = he.Evaluator.Multiply(a, 1L << 60);

        using var answered = stage.Refresh([wild ? huge : a], 10, "variance")[0];

        Assert.Equal((10, 2), (answered.Level, answered.Size));
        Assert.True(answered.Scale.Matches(he.Parameters.ScaleAt(10)));
        var one = Assert.Single(served);
        Assert.Equal((OwnerProtocol.Outcome.Answered, ""), (one.Outcome, one.Reason));
        Assert.Equal(ActorTrainer.He.Wire.WireSize.Ciphertext(he.Parameters, 10, seeded: true), one.BytesOut);
        if (wild)
        {
            var warning = Assert.Single(guard.Warnings);
            Assert.Equal(("variance", -2.0, 2.0, one.Key), (warning.Site, warning.Low, warning.High, warning.First));
            Assert.Equal(he.Parameters.Slots, warning.Seen);
            Assert.InRange(warning.Outside, he.Parameters.Slots / 2, he.Parameters.Slots);
            Assert.True(warning.Worst > 1e6);
        }
        else
        {
            Assert.Empty(guard.Warnings);
        }
    }

    [Fact]
    public void A_slot_outside_of_a_functions_domain_is_reported_at_its_site_and_the_program_goes_on()
    {
        using var he = new HeFixture(ParameterSets.ToyL15, []);
        var loss = new CrossEntropyLoss(FunctionCircuit.For(FunctionFits.Exp(-4, 4, 15)), FunctionCircuit.For(FunctionFits.Reciprocal(1.5, 100, 63)), "loss");
        var guard = new RangeGuard(loss.Ranges(2));
        var served = new ConcurrentQueue<OwnerProtocol.Served>();
        using var owner = new DataOwner(he.Context, he.Secret, new RefreshBook(), new DataOwnerSettings(2), guard, served.Enqueue);
        using var channel = new LocalRefreshChannel(he.Context, new RefreshServer(owner, new PeerCounters(), OwnerSide.Patience).Handle);
        var stage = new OwnerRefresher(he.Context, channel);
        stage.Begin("r", 1, 1, Phase.Train, 0);
        var math = new TensorMath(he.Evaluator, stage, new Packing(he.Parameters.Slots, 8, 4, 2, 8));
        Ciphertext Of(Func<int, double> value, int level) => he.Encrypt([.. Enumerable.Range(0, he.Parameters.Slots).Select(slot => new Complex(value(slot), 0))], level);
        using var first = Of(_ => 0.5, 0);
        using var second = Of(slot => slot == 5 ? 4.5 : -1, 0);
        using var target = Of(slot => slot % 2, he.Parameters.MaxLevel);

        var gradient = loss.Gradient(math, [first, second], [target, target], 1, 2);

        var warning = Assert.Single(guard.Warnings);
        Assert.Equal(("loss.exp.1", 1, he.Parameters.Slots), (warning.Site, warning.Outside, warning.Seen));
        Assert.Equal(0.5, warning.Worst, 0.01);
        Assert.All(served, one => Assert.Equal((OwnerProtocol.Outcome.Answered, ""), (one.Outcome, one.Reason)));
        Assert.Single(served.Where(one => one.Key.Site.StartsWith("loss.exp", StringComparison.Ordinal)).Select(one => one.BytesOut).Distinct());
        Assert.All(gradient, one => Assert.Equal((2, 2), (one.Level, one.Size)));
        var softmax = Math.Exp(0.5) / (Math.Exp(0.5) + Math.Exp(-1));
        Assert.Equal(softmax, he.Decrypt(gradient[0])[4].Real, 1e-3);
        Assert.Equal(softmax - 1, he.Decrypt(gradient[0])[7].Real, 1e-3);
        Array.ForEach(gradient, one => one.Dispose());
    }

    [Fact]
    public void Estimates_that_a_sender_made_up_are_answered_too()
    {
        using var owner = new OwnerSide();
        var stage = owner.Stage();
        var low = owner.Low(0.5)[0].WithNoise(double.MaxValue).WithMagnitude(double.MaxValue);

        var answered = Assert.Single(stage.Refresh([low], 2, "a"));

        Assert.Equal(0.5, owner.He.Decrypted(answered), 1e-4);
    }

    [Fact]
    public void An_observer_that_throws_is_not_seen_from_outside()
    {
        using var owner = new OwnerSide(new Watching((_, _, _) => throw new InvalidOperationException("secret")));
        var stage = owner.Stage();

        Assert.Equal(3, stage.Refresh(owner.Low(1, 2, 3), 2, "a").Count);
        stage.Report(owner.Low(1), "b");

        Assert.All(owner.Served, served => Assert.Equal((OwnerProtocol.Outcome.Answered, ""), (served.Outcome, served.Reason)));
        Assert.Equal(4, owner.Owner.Unobserved);
    }

    [Fact]
    public void What_is_reported_is_seen_by_the_owner_in_order_and_nothing_comes_back()
    {
        var seen = new ConcurrentDictionary<(RefreshKey, int), double>();
        using var owner = new OwnerSide(new Watching((key, index, slots) => seen[(key, index)] = slots[0].Real));
        var stage = owner.Stage(settings: new OwnerRefresherSettings(2, 4));

        stage.Report(owner.Low(0.1, 0.2, 0.3, 0.4, 0.5), "head.outputs");

        Assert.All(
            seen.OrderBy(entry => (entry.Key.Item1.Ordinal, entry.Key.Item2)).Select(entry => entry.Value).Zip([0.1, 0.2, 0.3, 0.4, 0.5]),
            pair => Assert.Equal(pair.Item2, pair.Item1, 1e-4));
        Assert.Equal((0, 5), (stage.Traffic.BytesReceived, stage.Traffic.Reported));
        Assert.Empty(stage.Ledger.Counts);
    }

    [Fact]
    public void What_was_served_is_summed_up_and_a_new_attempt_begins_its_steps_anew()
    {
        var key = new RefreshKey("r", 1, 4, Phase.Train, 0, "variance", 0);
        OwnerProtocol.Served[] all =
        [
            new(key, false, OwnerProtocol.Outcome.Answered, 4, 100, 300, 0.5, ""),
            new(key, false, OwnerProtocol.Outcome.AnsweredAgain, 4, 100, 300, 0.5, ""),
            new(key with { Step = 5 }, true, OwnerProtocol.Outcome.Answered, 2, 50, 0, 0.25, ""),
            new(key, false, OwnerProtocol.Outcome.Rejected, 1, 10, 0, 0, "because"),
            new(key with { Attempt = 2, Step = 3 }, false, OwnerProtocol.Outcome.Answered, 1, 1, 1, 0, ""),
            new(key, false, OwnerProtocol.Outcome.Failed, 1, 0, 0, 0, "no memory"),
        ];

        var status = all.Aggregate(OwnerProtocol.Status.Nothing, (so, served) => so.After(served));

        Assert.Equal((4, 9, 2, 1, 1, 1), (status.Requests, status.Lifted, status.Reported, status.Repeated, status.Rejected, status.Failed));
        Assert.Equal((261, 601, 1.25), (status.BytesIn, status.BytesOut, status.Seconds));
        Assert.Equal((2, 3), (status.Attempt, status.Step));
        Assert.Contains("no memory", status.Trouble);
    }

    [Fact]
    public void A_stage_with_other_parameters_is_told_so()
    {
        using var owner = new OwnerSide();
        using var other = new WireFixture(WireFixture.Tiny with { Chain = [new(40, 1, "message"), new(30, 1, "products")] });
        var stage = new OwnerRefresher(other.Context, owner.Own(new LocalRefreshChannel(other.Context, owner.Server.Handle)));
        stage.Begin("r", 1, 1, Phase.Train, 0);

        Assert.Contains("parameters", Assert.Throws<RefusedException>(() => stage.Refresh([other.Encrypt(0, seeded: false, 1)], 1, "a")).Message);
        Assert.Equal(0, owner.Counters.Malformed);
    }

    [Fact]
    public async Task An_owner_that_ends_drops_what_waits_and_frees_it()
    {
        using var entered = new SemaphoreSlim(0);
        using var leave = new ManualResetEventSlim();
        using var owner = new OwnerSide(
            new Watching((_, _, _) =>
            {
                entered.Release();
                leave.Wait(OwnerSide.Patience);
            }),
            settings: new DataOwnerSettings(1));
        var low = owner.Low(1, 2, 3, 4);
        var inUse = owner.Context.Ring.Pool.BytesInUse;
        var stage = owner.Stage(settings: new OwnerRefresherSettings(1, 4));
        var lifting = OwnerSide.Start(() => stage.Refresh(low, 2, "a"));
        Assert.True(entered.Wait(OwnerSide.Patience));

        var ending = Task.Run(owner.Owner.Dispose);
        Assert.True(SpinWait.SpinUntil(() => owner.Owner.IsEnding, OwnerSide.Patience));
        leave.Set();

        await ending.WaitAsync(OwnerSide.Patience);
        await Assert.ThrowsAsync<IOException>(() => lifting.WaitAsync(OwnerSide.Patience));
        Assert.True(SpinWait.SpinUntil(() => owner.Context.Ring.Pool.BytesInUse == inUse, OwnerSide.Patience));
    }

    /// <summary>A connection whose requests come one by one as they are read.</summary>
    private sealed class FedStream(byte[][] frames) : MemoryStream
    {
        private int _frame;
        private int _at;

        /// <summary>Requests that were read to their end.</summary>
        public int Taken => Volatile.Read(ref _frame);

        public override int Read(Span<byte> buffer)
        {
            if (_frame == frames.Length)
            {
                return 0;
            }

            var piece = frames[_frame].AsSpan(_at);
            var count = Math.Min(piece.Length, buffer.Length);
            piece[..count].CopyTo(buffer);
            _at += count;
            if (_at == frames[_frame].Length)
            {
                _at = 0;
                Interlocked.Increment(ref _frame);
            }

            return count;
        }
    }
}
