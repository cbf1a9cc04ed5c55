using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.Encrypted.Serving;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.He.Refresh;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Wire;
using ActorTrainer.Model.Common;
using ActorTrainer.Tests.He.Bootstrapping;
using Xunit;

namespace ActorTrainer.Tests.Refresh;

/// <summary>A helper that bootstraps over the toy set, asked through the bytes that go over a connection.</summary>
[Collection(BootstrapTests.Name)]
public sealed class BootstrapHelperTests : IDisposable
{
    private readonly BootstrapEngine _engine;
    private readonly List<double> _seconds = [];
    private readonly BootstrapHelper _helper;
    private readonly OwnerRefresher _stage;

    public BootstrapHelperTests(BootstrapFixture fixture)
    {
        _engine = fixture.Engine;
        _helper = new BootstrapHelper(_engine.Context, new BootstrapRefresher(_engine.Evaluator, _engine.Bootstrapper), (_, seconds) => _seconds.Add(seconds));
        var server = new RefreshServer(_helper, new PeerCounters(), TimeSpan.FromSeconds(20));
        _stage = new OwnerRefresher(_engine.Context, new LocalRefreshChannel(_engine.Context, server.Handle), new OwnerRefresherSettings(PartSize: 2, MaxInFlight: 1));
        _stage.Begin("r", 1, 1, Phase.Train, 0);
    }

    [Fact]
    public void What_a_helper_answers_is_bit_for_bit_what_the_stage_would_have_computed()
    {
        Ciphertext[] pair = [_engine.Encrypt([0.5, -0.25]).WithMagnitude(2), _engine.Encrypt([1.5]).WithMagnitude(2)];
        var level = _engine.Bootstrapper.OutputLevel - 1;

        var answered = _stage.Refresh(pair, level, "here");

        var own = new BootstrapRefresher(_engine.Evaluator, _engine.Bootstrapper).Refresh(pair, level, "here");
        Assert.Equal(own.Select(c => Convert.ToHexString(WireWriter.ToBytes(_engine.Context, c))), answered.Select(c => Convert.ToHexString(WireWriter.ToBytes(_engine.Context, c))));
        Assert.Equal(0.5, _engine.Slots(answered[0])[0].Real, 1e-4);
        Assert.Single(_seconds);
    }

    [Fact]
    public void A_helper_looks_at_nothing_and_lifts_no_higher_than_bootstrapping_does()
    {
        using var low = _engine.Encrypt([0.5]);

        Assert.Contains("can look at nothing", Assert.Throws<RefusedException>(() => _stage.Report([low], "out")).Message, StringComparison.Ordinal);
        Assert.Contains(
            $"lifts to level {_engine.Bootstrapper.OutputLevel} at most", Assert.Throws<RefusedException>(() => _stage.Refresh([low], _engine.Bootstrapper.OutputLevel + 1, "high")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_below_the_levels_of_bootstrapping_is_refused_and_others_are_served_after_it()
    {
        using var lost = _engine.Evaluator.DropTo(_engine.Encrypt([0.5]), _engine.Bootstrapper.InputLevel - 1);

        Assert.Contains("Bootstrap it before", Assert.Throws<RefusedException>(() => _stage.Refresh([lost], 5, "lost")).Message, StringComparison.Ordinal);
        Assert.Single(_stage.Refresh([_engine.Encrypt([0.5])], 5, "after"));
    }

    public void Dispose()
    {
        _stage.Dispose();
        _helper.Dispose();
    }
}
