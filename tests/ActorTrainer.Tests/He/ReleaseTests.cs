using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;
using Xunit;

namespace ActorTrainer.Tests.He;

public sealed class ReleaseTests
{
    [Fact]
    public void Released_values_are_whole_steps_with_the_noise_that_the_policy_asks_for()
    {
        using var he = new HeFixture(ParameterSets.ToyL15, []);
        var x = he.Random(1);
        using var a = he.Encrypt(x);
        var policy = new ReleasePolicy { Releases = 4 };
        using var noise = new RandomStream(HeFixture.FixedSeed(9).Span, "test");

        var released = new Decryptor(he.Context, he.Secret).Release(a, policy, noise);

        Assert.Equal(Math.Sqrt(48) * (1 << 15) * a.EstimatedError, released.Deviation, 1e-9);
        Assert.True(released.Step >= 1024 * a.EstimatedError);
        Assert.All(released.Slots, v => Assert.Equal(0, Math.IEEERemainder(v.Real, released.Step)));
        var rms = Math.Sqrt(released.Slots.Zip(x, (found, value) => (found - value).Magnitude).Average(e => e * e));
        Assert.InRange(rms / released.Deviation, 0.9, 1.1);
    }

    [Fact]
    public void Two_releases_of_one_ciphertext_differ()
    {
        using var he = new HeFixture(ParameterSets.ToyL15, []);
        using var a = he.Encrypt(he.Random(1));
        var decryptor = new Decryptor(he.Context, he.Secret);

        Assert.NotEqual(decryptor.Release(a, new ReleasePolicy()).Slots, decryptor.Release(a, new ReleasePolicy()).Slots);
    }

    [Fact]
    public void A_release_whose_noise_would_leave_nothing_is_refused_with_both_figures_and_the_remedy()
    {
        using var he = new HeFixture(ParameterSets.ToyL15, []);
        using var a = he.Encrypt(he.Random(1));

        var refusal = Assert.Throws<ReleaseRefusedException>(() => new Decryptor(he.Context, he.Secret).Release(a, new ReleasePolicy { Tolerance = 1e-8 }));

        Assert.Contains("1.00E-008", refusal.Message);
        Assert.Contains("fewer releases", refusal.Message);
    }

    [Theory]
    [InlineData(29, 1, 1.0)]
    [InlineData(30, 0, 1.0)]
    [InlineData(30, 1, 0.0)]
    public void A_policy_that_hides_too_little_is_refused(int bits, long releases, double tolerance) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new ReleasePolicy { Bits = bits, Releases = releases, Tolerance = tolerance });
}
