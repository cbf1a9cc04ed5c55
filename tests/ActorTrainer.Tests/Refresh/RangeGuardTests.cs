using System.Numerics;
using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.Encrypted.Serving;
using ActorTrainer.Actors.KeyHolder;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.He.Layers;
using ActorTrainer.He.Parameters;
using ActorTrainer.Tests.He;
using Xunit;

namespace ActorTrainer.Tests.Refresh;

/// <summary>What the owner's guard says of slots, site by site.</summary>
public sealed class RangeGuardTests
{
    [Fact]
    public void A_guard_counts_what_is_outside_and_keeps_the_worst_and_the_first()
    {
        var guard = new RangeGuard([new SiteRange("a", -1, 2), new SiteRange("b", 0, 1)]);
        RefreshKey Key(string site, int ordinal) => new("r", 1, 1, Phase.Train, 0, site, ordinal);

        guard.Observed(Key("a", 0), 0, [new Complex(-1, 99), 2, 0]);
        Assert.Empty(guard.Warnings);
        guard.Observed(Key("a", 1), 0, [2.5, 1]);
        guard.Observed(Key("a", 2), 0, [-4, 2.1]);
        guard.Observed(Key("b", 0), 0, [double.NaN]);
        guard.Observed(Key("unwatched", 0), 0, [1e9]);

        Assert.Equal(
            [new RangeWarning("a", -1, 2, 3, 7, 3, Key("a", 1)), new RangeWarning("b", 0, 1, 1, 1, double.PositiveInfinity, Key("b", 0))],
            guard.Warnings);
    }

    [Fact]
    public void Slots_beyond_half_of_the_room_of_their_level_are_reported_at_any_site()
    {
        using var he = new HeFixture(ParameterSets.ToyL15, []);
        var guard = new RangeGuard([]);
        using var owner = new DataOwner(he.Context, he.Secret, new RefreshBook(), new DataOwnerSettings(1), guard);
        using var channel = new LocalRefreshChannel(he.Context, new RefreshServer(owner, new PeerCounters(), OwnerSide.Patience).Handle);
        var stage = new OwnerRefresher(he.Context, channel);
        stage.Begin("r", 1, 3, Phase.Train, 0);
        var room = he.Parameters.Chain[0].Value / 2.0 / he.Parameters.ScaleAt(0).High;

        Lift(0.4 * room, 0, "low");
        Lift(0.6 * room, 1, "high");
        Assert.Empty(guard.Warnings);
        Lift(-0.6 * room, 0, "low");

        var warning = Assert.Single(guard.Warnings);
        Assert.Equal(("low", true, 1L, 2L * he.Parameters.Slots), (warning.Site, warning.IsRoom, warning.Outside, warning.Seen));
        Assert.Equal(room / 2, warning.High, 1e-9 * room);
        Assert.Equal(0.1 * room, warning.Worst, 1e-3 * room);

        void Lift(double value, int level, string site)
        {
            using var ciphertext = he.Encrypt([.. Enumerable.Range(0, he.Parameters.Slots).Select(slot => new Complex(slot == 7 ? value : 0, 0))], level);
            using var lifted = stage.Refresh([ciphertext], 3, site)[0];
        }
    }

    [Fact]
    public void Slots_that_do_not_count_are_not_seen()
    {
        var guard = new RangeGuard(
            [new SiteRange("a", -1, 1) { Slots = [true, true, false, false] }], key => key.MicroBatch == 1 ? [true, false, true, false] : null);
        RefreshKey Key(int microBatch) => new("r", 1, 1, Phase.Train, microBatch, "a", 0);

        guard.Observed(Key(1), 0, [0, 9, 9, double.NaN]);
        Assert.Empty(guard.Warnings);
        guard.Observed(Key(0), 0, [0, 9, 9, 9]);

        Assert.Equal([new RangeWarning("a", -1, 1, 1, 3, 8, Key(0))], guard.Warnings);
        Assert.Contains("4 slots", Assert.Throws<ArgumentException>(() => new RangeGuard([new SiteRange("a", 0, 1)], _ => [true]).Observed(Key(0), 0, [1, 1, 1, 1])).Message);
    }
}
