using System.Numerics;
using ActorTrainer.He.Backends;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Refresh;
using ActorTrainer.He.Scheme;
using Xunit;

namespace ActorTrainer.Tests.He.Refresh;

public sealed class ClearRefresherTests
{
    private static readonly CkksParameters Toy = new(ParameterSets.ToyL15);

    [Fact]
    public void Twin_plan_and_owner_refresh_to_the_same_level_scale_and_noise()
    {
        using var he = new HeFixture(ParameterSets.ToyL15, []);
        var (twin, plan) = (new TwinBackend(he.Parameters), new PlanBackend(he.Parameters));
        var x = he.Random(1);
        using var low = he.Encrypt(x, 2);

        using var owner = new OwnerRefresh(he.Context, he.Secret, he.Encryptor).Refresh(low, 9);
        var onTwin = new ClearRefresher(twin).Refresh([twin.Encrypt(new PlainVector(x), 2)], 9, "x")[0];
        var onPaper = new ClearRefresher(plan).Refresh([plan.Encrypt(2)], 9, "x")[0];

        Assert.All(new[] { onTwin, onPaper }, c => Assert.Equal((owner.Level, owner.Scale, owner.NoiseVariance), (c.Level, c.Scale, c.NoiseVariance)));
        Assert.Equal(x, TwinBackend.Values(onTwin));
    }

    [Fact]
    public void The_twins_refresh_adds_the_noise_of_an_encryption()
    {
        var twin = new TwinBackend(Toy, new Random(4));
        var x = Enumerable.Repeat(new Complex(0.5, 0), Toy.Slots).ToArray();
        using var low = twin.Encrypt(new PlainVector(x), 2);

        using var high = new ClearRefresher(twin).Refresh([low], 9, "x")[0];

        var rms = Math.Sqrt(TwinBackend.Values(high).Zip(TwinBackend.Values(low), (a, b) => (a - b).Magnitude).Average(e => e * e));
        Assert.InRange(rms * Toy.ScaleAt(9).High / Math.Sqrt(10.6 * Toy.Degree), 0.9, 1.1);
    }

    [Fact]
    public void Refreshes_are_counted_by_site_and_level()
    {
        var plan = new PlanBackend(Toy);
        var refresher = new ClearRefresher(plan);

        refresher.Refresh([plan.Encrypt(2), plan.Encrypt(1)], 9, "a");
        refresher.Refresh([plan.Encrypt(2)], 9, "a");
        refresher.Refresh([plan.Encrypt(2)], 5, "b");

        Assert.Equal(4, refresher.Ledger.Total);
        Assert.Equal(new Dictionary<(string, int), long> { [("a", 9)] = 3, [("b", 5)] = 1 }, refresher.Ledger.Counts);
    }

    [Fact]
    public void What_cannot_be_lifted_is_refused()
    {
        var plan = new PlanBackend(Toy);
        using var a = plan.Encrypt(3);
        using var product = new Evaluator(plan).MultiplyLazy(a, a);

        Assert.Throws<MisuseException>(() => new ClearRefresher(plan).Refresh([product], 9, "x"));
        Assert.Throws<MisuseException>(() => new ClearRefresher(plan).Refresh([a], 16, "x"));
    }
}
