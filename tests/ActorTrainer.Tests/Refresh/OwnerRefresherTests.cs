using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.Encrypted.Serving;
using ActorTrainer.Actors.KeyHolder;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Wire;
using ActorTrainer.Model.Common;
using ActorTrainer.Tests.He;
using Xunit;

namespace ActorTrainer.Tests.Refresh;

public sealed class OwnerRefresherTests : IDisposable
{
    private readonly OwnerSide _owner = new();
    private readonly ScriptedChannel _script = new();

    public void Dispose()
    {
        _owner.Dispose();
        _script.Dispose();
    }

    [Fact]
    public void A_lifted_ciphertext_decrypts_to_the_same_slots()
    {
        using var he = new HeFixture(ParameterSets.ToyL15, []);
        using var owner = new DataOwner(he.Context, he.Secret, new RefreshBook(), new DataOwnerSettings(1));
        using var channel = new LocalRefreshChannel(he.Context, new RefreshServer(owner, new(), OwnerSide.Patience).Handle);
        var stage = new OwnerRefresher(he.Context, channel);
        stage.Begin("r", 1, 1, Phase.Train, 0);
        var x = he.Random(1);
        using var low = he.Encrypt(x, 1);

        using var high = Assert.Single(stage.Refresh([low], 12, "layers.0.norm1.variance"));

        Assert.Equal((12, 2), (high.Level, high.Size));
        Assert.True(high.Scale.Matches(he.Parameters.ScaleAt(12)));
        Assert.InRange(he.Error(high, x), 0, 4 * high.EstimatedError);
        using var square = he.Evaluator.Square(high);
        Assert.InRange(he.Error(square, x.Select(v => v * v)), 0, 4 * square.EstimatedError);
    }

    [Theory]
    [InlineData(1, 1, 23)]
    [InlineData(3, 2, 8)]
    [InlineData(64, 4, 4)]
    [InlineData(64, 32, 23)]
    public void However_a_request_is_cut_the_answers_are_in_order(int part, int inFlight, int requests)
    {
        var values = Enumerable.Range(1, 23).Select(i => i / 32.0).ToArray();
        var stage = _owner.Stage(settings: new OwnerRefresherSettings(part, inFlight));

        var lifted = stage.Refresh(_owner.Low(values), 2, "a");

        Assert.All(_owner.Decrypt(lifted).Zip(values), pair => Assert.Equal(pair.Item2, pair.Item1, 1e-4));
        Assert.All(lifted, c => Assert.Equal((2, 2), (c.Level, c.Size)));
        Assert.Equal(Enumerable.Range(0, requests), _owner.Served.Select(s => s.Key.Ordinal).Order());
    }

    [Fact]
    public void What_was_exchanged_is_counted()
    {
        var stage = _owner.Stage();
        var low = _owner.Low([.. Enumerable.Repeat(0.5, 6)]);

        Assert.Equal(6, stage.Refresh(low, 2, "a").Count);
        stage.Refresh(low[..1], 1, "b");
        stage.Report(low[..3], "outputs");

        Assert.Equal(new Dictionary<(string, int), long> { [("a", 2)] = 6, [("b", 1)] = 1 }, stage.Ledger.Counts);
        var traffic = stage.Traffic;
        Assert.Equal((7, 7, 3), (traffic.Requests, traffic.Lifted, traffic.Reported));
        Assert.Equal(10 * WireSize.Ciphertext(_owner.Context.Parameters, 0), traffic.BytesSent);
        Assert.Equal(6 * WireSize.Ciphertext(_owner.Context.Parameters, 2, seeded: true) + WireSize.Ciphertext(_owner.Context.Parameters, 1, seeded: true), traffic.BytesReceived);
        Assert.True(traffic.Seconds > 0);
        Assert.Empty(stage.Refresh([], 2, "nothing"));
        Assert.Equal(7, stage.Traffic.Requests);
    }

    [Fact]
    public async Task No_more_requests_are_under_way_than_allowed_and_the_next_goes_when_the_first_is_answered()
    {
        var stage = _owner.Stage(_script, new OwnerRefresherSettings(PartSize: 1, MaxInFlight: 3));
        var low = _owner.Low(1, 2, 3, 4, 5);
        var lifting = OwnerSide.Start(() => stage.Refresh(low, 2, "a"));
        var asked = new List<ScriptedChannel.Asked> { _script.Next(), _script.Next(), _script.Next() };
        Assert.Empty(_script.Requests);

        Answer(asked[2]);
        Answer(asked[1]);
        Assert.Empty(_script.Requests); // results are in order, so the first is waited for
        Answer(asked[0]);
        asked.AddRange([_script.Next(), _script.Next()]);
        Answer(asked[4]);
        Answer(asked[3]);

        Assert.All(_owner.Decrypt(await lifting).Zip([1.0, 2, 3, 4, 5]), pair => Assert.Equal(pair.Item2, pair.Item1, 1e-3));
        Assert.Equal(low, asked.SelectMany(a => a.Ciphertexts));
    }

    [Fact]
    public void No_key_is_used_twice_in_a_step_also_when_a_micro_batch_comes_back()
    {
        var stage = _owner.Stage();
        var low = _owner.Low(0.5);
        foreach (var (step, microBatch) in new[] { (1, 0), (1, 1), (1, 0), (1, 1), (1, -1), (2, 0), (2, 0) })
        {
            stage.Begin("r", 1, step, Phase.Train, microBatch);
            stage.Refresh(low, 2, "a");
            stage.Refresh(low, 2, "a");
            stage.Refresh(low, 2, "b");
        }

        stage.Begin("r", 1, 2, Phase.Evaluate, 0);
        stage.Refresh(low, 2, "a");

        Assert.Equal(22, _owner.Served.Select(s => s.Key).Distinct().Count());
        Assert.All(_owner.Served, s => Assert.Equal(OwnerProtocol.Outcome.Answered, s.Outcome));
        Assert.Equal(new RefreshKey("r", 1, 2, Phase.Evaluate, 0, "a", 0), _owner.Served.Last().Key);
        Assert.Equal(3, _owner.Served.Max(s => s.Key.Ordinal));
    }

    [Fact]
    public async Task An_answer_that_is_not_what_was_asked_for_is_refused_and_freed()
    {
        var stage = _owner.Stage(_script);
        foreach (var (wrong, expected) in new (Func<Ciphertext[]>, string)[]
        {
            (() => [], "0 ciphertexts instead of 1"),
            (() => [High(2), High(2)], "2 ciphertexts instead of 1"),
            (() => [High(1)], "level 1"),
            (() => [_owner.He.Product(2)], "3 parts"),
            (() => [_owner.He.Evaluator.Multiply(High(2), 0.5)], "scale"),
        })
        {
            var lifting = OwnerSide.Start(() => stage.Refresh(_owner.Low(1), 2, "a"));
            var answer = wrong();
            _script.Next().Answer.SetResult(answer);
            Assert.Contains(expected, (await Assert.ThrowsAsync<IOException>(() => lifting.WaitAsync(OwnerSide.Patience))).Message);
            Assert.All(answer, c => Assert.Throws<ObjectDisposedException>(() => WireWriter.ToBytes(_owner.Context, c)));
        }
    }

    [Fact]
    public async Task A_stage_that_is_given_up_does_not_hang_and_stays_given_up_until_another_attempt()
    {
        var stage = _owner.Stage(_script);
        var lifting = OwnerSide.Start(() => stage.Refresh(_owner.Low(1), 2, "a"));
        _script.Next();

        stage.Cancel();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => lifting.WaitAsync(OwnerSide.Patience));
        stage.Begin("r", 1, 2, Phase.Train, 0);
        Assert.ThrowsAny<OperationCanceledException>(() => stage.Refresh(_owner.Low(1), 2, "a"));
        Assert.ThrowsAny<OperationCanceledException>(() => stage.Report(_owner.Low(1), "a"));
        Assert.Empty(_script.Requests);

        stage.Begin("r", 2, 1, Phase.Train, 0);
        lifting = OwnerSide.Start(() => stage.Refresh(_owner.Low(1), 2, "a"));
        Answer(_script.Next());
        Assert.Single(await lifting);
    }

    [Fact]
    public async Task What_comes_after_the_stage_was_given_up_is_freed()
    {
        using var entered = new SemaphoreSlim(0);
        using var leave = new ManualResetEventSlim();
        using var slow = new OwnerSide(new Watching((_, _, _) =>
        {
            entered.Release();
            leave.Wait(OwnerSide.Patience);
        }));
        var stage = slow.Stage(settings: new OwnerRefresherSettings(1, 3));
        var mine = slow.Low(1, 2, 3);
        var before = slow.Context.Ring.Pool.BytesInUse;
        var lifting = OwnerSide.Start(() => stage.Refresh(mine, 2, "a"));
        Assert.True(entered.Wait(OwnerSide.Patience));

        stage.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => lifting.WaitAsync(OwnerSide.Patience));
        leave.Set();

        Assert.True(SpinWait.SpinUntil(() => slow.Served.Count == 3 && slow.Context.Ring.Pool.BytesInUse == before, OwnerSide.Patience));
    }

    [Fact]
    public void A_rejected_request_is_refused_with_its_key_and_the_reason()
    {
        var late = _owner.Stage();
        var current = _owner.Stage();
        current.Begin("r", 2, 1, Phase.Train, 0);
        current.Refresh(_owner.Low(1), 2, "a");

        var message = Assert.Throws<RefusedException>(() => late.Refresh(_owner.Low(1), 2, "layers.0.q")).Message;

        Assert.Contains("layers.0.q #0", message);
        Assert.Contains("attempt 2 has begun", message);
    }

    [Fact]
    public void A_replay_of_a_key_with_other_ciphertexts_is_rejected_and_a_re_send_is_answered()
    {
        var (first, second) = (_owner.Stage(), _owner.Stage());
        var low = _owner.Low(0.25, 0.5);
        first.Refresh(low[..1], 2, "a");

        using var again = Assert.Single(second.Refresh(low[..1], 2, "a"));
        Assert.Equal(0.25, _owner.He.Decrypted(again), 1e-4);
        Assert.Equal(OwnerProtocol.Outcome.AnsweredAgain, _owner.Served.Last().Outcome);

        Assert.Contains("other ciphertexts", Assert.Throws<RefusedException>(() => _owner.Stage().Refresh(low[1..], 2, "a")).Message);
        Assert.Contains("other ciphertexts", Assert.Throws<RefusedException>(() => _owner.Stage().Refresh(low[..1], 1, "a")).Message);
        Assert.Contains("other ciphertexts", Assert.Throws<RefusedException>(() => _owner.Stage().Report(low[..1], "a")).Message);
    }

    [Fact]
    public void What_cannot_be_asked_is_refused_before_anything_is_sent()
    {
        var stage = _owner.Stage(_script);

        Assert.Throws<MisuseException>(() => stage.Refresh([_owner.He.Product(2)], 2, "a"));
        Assert.Throws<MisuseException>(() => stage.Refresh(_owner.Low(1), 3, "a"));
        Assert.Throws<MisuseException>(() => stage.Refresh(_owner.Low(1), -1, "a"));
        Assert.Throws<ArgumentException>(() => stage.Refresh(_owner.Low(1), 2, "no site"));
        Assert.Throws<ArgumentException>(() => stage.Begin("no run", 1, 1, Phase.Train, 0));
        Assert.Throws<InvalidOperationException>(() => new OwnerRefresher(_owner.Context, _script).Refresh(_owner.Low(1), 2, "a"));
        Assert.Throws<ArgumentException>(() => new OwnerRefresher(_owner.Context, _script, new OwnerRefresherSettings(0)));
        Assert.Throws<ArgumentException>(() => new OwnerRefresher(_owner.Context, _script, new OwnerRefresherSettings(1, 0)));
        Assert.Throws<ArgumentException>(() => new OwnerRefresher(_owner.Context, _script, new OwnerRefresherSettings(RefreshProtocol.MaxCiphertexts + 1)));
        Assert.Empty(_script.Requests);
    }

    private Ciphertext High(int level) => _owner.He.Encrypt(level, seeded: true, 1);

    private void Answer(ScriptedChannel.Asked asked) => asked.Answer.SetResult(
        [.. asked.Ciphertexts.Select(c => _owner.He.Encrypt(asked.Request.Level, seeded: true, _owner.He.Decrypted(c)))]);
}
