using ActorTrainer.He.Parameters;
using ActorTrainer.He.Ring;
using Xunit;

namespace ActorTrainer.Tests.He;

public sealed class ParametersTests
{
    public static TheoryData<string> Names() => [.. ParameterSets.All.Select(set => set.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_named_set_is_secure_or_says_that_it_is_not(string name)
    {
        var set = Set(name);

        Assert.Equal(!name.StartsWith("InsecureTest", StringComparison.Ordinal), set.IsSecure);
        Assert.True(!set.IsSecure || set.LogQP <= SecurityTable.MaxLogQP(set.LogDegree));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Primes_are_distinct_and_serve_every_degree_and_the_double_kernels(string name)
    {
        var set = Set(name);
        var primes = set.Chain.Concat(set.Special).Select(q => q.Value).ToArray();

        Assert.Equal(primes.Length, primes.Distinct().Count());
        Assert.All(primes, q => Assert.True(Primes.IsPrime(q) && q % (1 << 17) == 1 && q < DoubleKernels.Bound));
    }

    [Theory]
    [InlineData("L14", 427, 7, 4)]
    [InlineData("L15", 860, 15, 4)]
    [InlineData("B15", 832, 4, 9)]
    [InlineData("B16", 1743, 14, 6)]
    [InlineData("B16k", 1715, 11, 4)]
    [InlineData("B16hp", 1696, 10, 7)]
    public void A_named_set_is_what_its_evidence_says(string name, int logQP, int usable, int digits)
    {
        var set = Set(name);

        Assert.InRange(set.LogQP, logQP - 1, logQP);
        Assert.Equal((usable, digits), (set.UsableLevels, set.DigitCount(set.MaxLevel)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Digits_leave_five_bits_below_the_special_modulus(string name)
    {
        var set = Set(name);
        var special = set.Special.Sum(q => q.Bits);

        for (var level = 0; level <= set.MaxLevel; level++)
        {
            var digits = Enumerable.Range(0, set.DigitCount(level)).Select(d => set.Digit(d, level)).ToArray();
            Assert.Equal(level + 1, digits[^1].End);
            Assert.All(digits, d => Assert.True(d.End > d.Start && Enumerable.Range(d.Start, d.End - d.Start).Sum(i => set.Chain[i].Bits) <= special - 5));
            Assert.All(digits.Zip(digits.Skip(1)), pair => Assert.Equal(pair.Item1.End, pair.Item2.Start));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Canonical_scales_do_not_drift(string name)
    {
        var set = Set(name);

        for (var level = set.MaxLevel; level > 0; level = set.Below(level))
        {
            Assert.InRange(Math.Abs(set.ScaleAt(level).Log2 - set.Divisor(level).Log2), 0, 1.0 / 1024);
        }
    }

    [Fact]
    public void A_set_above_the_table_is_refused_with_both_numbers()
    {
        var literal = ParameterSets.L15 with { Chain = [new(49, 1, "message"), new(42, 15, "products")] };

        var refusal = Assert.Throws<ParametersRefusedException>(() => new CkksParameters(literal));

        Assert.Contains("868", refusal.Message);
        Assert.Contains("875", refusal.Message);
    }

    [Fact]
    public void An_insecure_set_must_say_so_in_its_name()
    {
        var literal = ParameterSets.Toy with { Name = "quick" };

        Assert.Throws<ParametersRefusedException>(() => new CkksParameters(literal));
    }

    [Fact]
    public void Sets_of_the_same_primes_share_a_fingerprint_and_others_do_not()
    {
        var prints = ParameterSets.All.Select(literal => Convert.ToHexString(new CkksParameters(literal).Fingerprint.Span)).ToArray();

        Assert.Equal(prints.Length, prints.Distinct().Count());
        Assert.Equal(prints[1], Convert.ToHexString(new CkksParameters(ParameterSets.L15 with { Name = "other" }).Fingerprint.Span));
    }

    [Fact]
    public void A_scale_keeps_a_hundred_bits_through_products_and_quotients()
    {
        var scale = Scale.FromPower(41);
        var primes = Primes.Below(41, 1 << 17).Take(200).Select(Scale.FromInteger).ToArray();

        var there = primes.Aggregate(scale, (product, q) => product * q / Scale.FromPower(41));
        var back = primes.Aggregate(there, (product, q) => product / q * Scale.FromPower(41));

        Assert.InRange(Math.Abs(back.RelativeGap(scale)), 0, Math.ScaleB(1, -92));
        Assert.False(scale.Matches(Scale.FromInteger((1UL << 41) + 1)));
    }

    private static CkksParameters Set(string name) => new(ParameterSets.All.Single(literal => literal.Name == name));
}
