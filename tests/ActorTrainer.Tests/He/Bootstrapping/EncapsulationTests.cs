using System.Reflection;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Ring;
using ActorTrainer.He.Scheme;
using Xunit;

namespace ActorTrainer.Tests.He.Bootstrapping;

/// <summary>A sparse secret is weak under a large modulus, and so must be nowhere but under q₀·p₀.</summary>
[Collection(BootstrapTests.Name)]
public sealed unsafe class EncapsulationTests(BootstrapFixture fixture)
{
    private const BindingFlags Every = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    private EncapsulationKeys Keys => fixture.Engine.Keys.Encapsulation!;

    private CkksParameters Parameters => fixture.Engine.Parameters;

    private RingContext Ring => fixture.Engine.Context.Ring;

    /// <summary>Over all primes such a key loses some fifteen bits of security.</summary>
    [Fact]
    public void The_key_towards_the_sparse_secret_has_the_first_prime_and_the_first_special_one_and_no_more()
    {
        Assert.Equal([Parameters.Chain[0], Parameters.Special[0]], Keys.SparseModuli);
        Assert.Equal((2, 2), (Keys.SparseB.Limbs, Keys.SparseA.Limbs));
        Assert.Equal(["DenseA", "DenseB", "SparseA", "SparseB"], typeof(EncapsulationKeys).GetProperties(Every).Where(p => p.PropertyType == typeof(Polynomial)).Select(p => p.Name).Order());
        foreach (var (polynomial, limb, kernels) in new[] { Keys.SparseA, Keys.SparseB }.SelectMany(p => new[] { (p, 0, Ring.Chain(0)), (p, 1, Ring.Special(0)) }))
        {
            using var residues = Ring.NewPolynomial(1);
            kernels.ToResidues((ulong*)residues[0], polynomial[limb]);
            var words = new ReadOnlySpan<ulong>(residues[0], Ring.Degree).ToArray();
            Assert.All(words, word => Assert.True(word < kernels.Modulus.Value));
            Assert.True(words.Max() > kernels.Modulus.Value / 16 * 15);
        }
    }

    /// <summary>With the owner's secret at hand: P·s' + e over all primes, so e alone mod the special ones.</summary>
    [Fact]
    public void The_key_back_hides_the_sparse_secret_under_the_owners()
    {
        using var phase = Decryptor.Phase(Ring, [Keys.DenseB, Keys.DenseA], 1, fixture.Engine.Secret.Polynomial);
        using var special = Ring.NewPolynomial(1, secret: true);
        var (limb, kernels) = (Ring.ChainLength, Ring.Special(0));
        kernels.Multiply(special[0], Keys.DenseA[limb], fixture.Engine.Secret.Polynomial[limb]);
        kernels.Add(special[0], special[0], Keys.DenseB[limb]);
        kernels.Inverse(special[0]);
        kernels.ToResidues((ulong*)special[0], special[0]);
        var errors = new ReadOnlySpan<ulong>(special[0], Ring.Degree).ToArray().Select(kernels.Modulus.Centre).ToArray();
        Assert.All(errors, e => Assert.True(Math.Abs(e) <= (long)Samplers.LargestError));
        Ring.Chain(0).Inverse(phase[0]);
        Ring.Chain(0).ToResidues((ulong*)phase[0], phase[0]);
        var q0 = Parameters.Chain[0];
        var inverse = q0.Inverse(Parameters.Special.Aggregate(1UL, (product, p) => q0.Multiply(product, q0.Reduce(p.Value))));
        long[] sparse = [.. new ReadOnlySpan<ulong>(phase[0], Ring.Degree).ToArray().Select((word, i) => q0.Centre(q0.Multiply(q0.Subtract(word, q0.Reduce(errors[i])), inverse)))];
        Assert.Equal(EncapsulationParameters.Weight, sparse.Count(s => s != 0));
        Assert.All(sparse, s => Assert.InRange(s, -1, 1));
    }

    [Fact]
    public void The_sparse_secret_is_forgotten_and_its_memory_overwritten()
    {
        using var context = new CkksContext(new CkksParameters(ParameterSets.Toy with { LogDegree = 10 }));
        using var generator = new KeyGenerator(context, HeFixture.FixedSeed(1), allowInsecure: true);
        using var secret = generator.NewSecretKey();
        var (ring, before) = (context.Ring, context.Ring.Pool.BytesInUse);

        using var keys = generator.NewEncapsulationKeys(secret);

        var held = new[] { keys.SparseA, keys.SparseB, keys.DenseA, keys.DenseB }.Sum(p => (long)p.Limbs * ring.Pool.StrideBytes);
        Assert.Equal(held, ring.Pool.BytesInUse - before);
        Assert.DoesNotContain(typeof(EncapsulationKeys).GetFields(Every), field => field.FieldType == typeof(SecretKey));
        // The pool gives the block that was returned last, and nothing of its size has been since.
        using var block = ring.NewPolynomial(ring.ChainLength, special: true);
        Assert.False(new ReadOnlySpan<byte>(block[0], ring.Pool.StrideBytes * block.Limbs).ContainsAnyExcept((byte)0));
    }

    [Fact]
    public void Every_key_has_a_sparse_secret_and_seeds_of_its_own()
    {
        using var generator = new KeyGenerator(fixture.Engine.Context, HeFixture.FixedSeed(9), allowInsecure: true);
        using var first = generator.NewEncapsulationKeys(fixture.Engine.Secret);
        using var second = generator.NewEncapsulationKeys(fixture.Engine.Secret);

        Assert.Equal(4, new[] { first.SparseSeed, first.DenseSeed, second.SparseSeed, second.DenseSeed }.Distinct().Count());
    }

    [Theory]
    [InlineData("B16", true)]
    [InlineData("B16d", true)]
    [InlineData("B16k", true)]
    [InlineData("B16hp", true)]
    [InlineData("B15", true)]
    [InlineData("L15", false)]
    [InlineData("L14", false)]
    [InlineData("InsecureTestB16", true)]
    public void Secure_sets_have_to_have_a_small_enough_modulus_and_a_large_enough_degree(string name, bool allowed)
    {
        var parameters = new CkksParameters(ParameterSets.All.Single(set => set.Name == name));

        Assert.Equal(allowed, EncapsulationParameters.Allows(parameters));
        if (!allowed)
        {
            Assert.Contains("N = 2^15 at least", Assert.Throws<ParametersRefusedException>(() => new EncapsulationParameters(parameters)).Message);
        }
    }

    [Fact]
    public void A_modulus_above_a_hundred_bits_is_refused_at_full_size()
    {
        var wide = new CkksParameters(new ParametersLiteral { Name = "wide", LogDegree = 16, Chain = [new(55, 1, "message"), new(42, 5, "products")], Special = new(55, 2, "key switching"), Purpose = "a test" });

        Assert.Contains("at most 100 bits at N = 2^16; found 110.0", Assert.Throws<ParametersRefusedException>(() => new EncapsulationParameters(wide)).Message);
    }

    [Fact]
    public void A_sparse_secret_has_exactly_its_weight_both_signs_and_no_place_that_is_preferred()
    {
        const int Places = 256, Weight = 32, Draws = 2000;
        var (values, counts, positive) = (new int[Places], new int[Places], 0);
        using var stream = new RandomStream(HeFixture.FixedSeed(1).Span, "test");
        for (var draw = 0; draw < Draws; draw++)
        {
            Samplers.Sparse(stream, values, Weight);
            Assert.Equal(Weight, values.Count(v => v is 1 or -1));
            Assert.Equal(Places - Weight, values.Count(v => v == 0));
            positive += values.Count(v => v == 1);
            for (var i = 0; i < Places; i++)
            {
                counts[i] += Math.Abs(values[i]);
            }
        }

        // Places of one draw exclude each other, which takes 1 − 32/256 off the variance of each; Σ has 255 degrees of freedom, deviation √510.
        var expected = (double)Draws * Weight / Places;
        var chi = counts.Sum(c => (c - expected) * (c - expected) / expected) / (1 - ((double)Weight / Places));
        Assert.InRange(chi, 255 - (4 * Math.Sqrt(510)), 255 + (4 * Math.Sqrt(510)));
        Assert.InRange(positive, (Draws * Weight / 2) - (4 * Math.Sqrt(Draws * Weight) / 2), (Draws * Weight / 2) + (4 * Math.Sqrt(Draws * Weight) / 2));
    }
}
