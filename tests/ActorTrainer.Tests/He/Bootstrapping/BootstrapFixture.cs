using System.Numerics;
using ActorTrainer.He.Bootstrapping;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;
using Xunit;

namespace ActorTrainer.Tests.He.Bootstrapping;

/// <summary>An engine with exactly the keys that a bootstrapper requests, and those for the sparse secret.</summary>
internal sealed class BootstrapEngine : IDisposable
{
    private readonly HeFixture _he;
    private readonly KeyGenerator _generator;

    public BootstrapEngine(ParametersLiteral literal, Func<CkksParameters, BootstrapShape> shape, int threads = 1)
    {
        _he = new HeFixture(literal, [], threads);
        _generator = new KeyGenerator(_he.Context, HeFixture.FixedSeed(3), allowInsecure: true);
        Bootstrapper = new Bootstrapper(_he.Parameters, shape(_he.Parameters));
        Keys = _generator.NewEvaluationKeys(_he.Secret, Bootstrapper.Requests());
        Keys.Add(_generator.NewEncapsulationKeys(_he.Secret));
        Evaluator = new Evaluator(new CkksBackend(_he.Context, Keys));
    }

    public CkksContext Context => _he.Context;

    public CkksParameters Parameters => _he.Parameters;

    public SecretKey Secret => _he.Secret;

    public Bootstrapper Bootstrapper { get; }

    public EvaluationKeys Keys { get; }

    /// <summary>With the requested keys alone.</summary>
    public Evaluator Evaluator { get; }

    public Ciphertext Encrypt(IReadOnlyList<double> values, int? level = null) =>
        _he.Encrypt([.. Enumerable.Range(0, Parameters.Slots).Select(i => new Complex(values[i % values.Count], 0))], level ?? Bootstrapper.InputLevel);

    /// <summary>Coefficients at a scale, at level 0.</summary>
    /// <param name="seed">The same seed draws the same uniform part.</param>
    public Ciphertext Encrypt(IReadOnlyList<double> values, Scale scale, byte seed = 4)
    {
        using var secret = new Encryptor(Context, HeFixture.FixedSeed(seed));
        using var plaintext = _he.Encoder.Encode([.. values.Select(v => new Complex(v, 0))], 0, scale);
        return secret.Encrypt(plaintext, Secret);
    }

    public Complex[] Slots(Ciphertext ciphertext) => _he.Decrypt(ciphertext);

    /// <summary>Centred coefficients of what a ciphertext decrypts to, in its own units.</summary>
    public double[] Coefficients(Ciphertext ciphertext)
    {
        using var plaintext = new Decryptor(Context, Secret).Decrypt(ciphertext);
        return _he.Encoder.Coefficients(plaintext);
    }

    /// <summary>Root mean square error of the slots, in bits below one.</summary>
    public double Bits(Ciphertext ciphertext, IReadOnlyList<double> expected) =>
        -Math.Log2(_he.Error(ciphertext, Enumerable.Range(0, Parameters.Slots).Select(i => new Complex(expected[i % expected.Count], 0))));

    /// <summary>No more than two bits worse than the noise model says, and no more than a few better: it takes all slots to be as large as their bound, where the polynomials err most.</summary>
    public void Check(Ciphertext ciphertext, IReadOnlyList<double> expected, double better = 3)
    {
        var (bits, estimate) = (Bits(ciphertext, expected), -Math.Log2(ciphertext.EstimatedError));
        Assert.True(bits >= estimate - 2 && bits <= estimate + better, $"{bits:F2} bits; the model says {estimate:F2}.");
    }

    public void Dispose()
    {
        Keys.Dispose();
        _generator.Dispose();
        _he.Dispose();
    }
}

/// <summary>All slots of the toy set, whose keys all tests share.</summary>
public sealed class BootstrapFixture : IDisposable
{
    internal BootstrapEngine Engine { get; } = new(ParameterSets.Toy, p => BootstrapShape.For(p), 2);

    /// <summary>Named inputs of one number for each slot.</summary>
    internal static double[] Input(string name, int slots)
    {
        var random = new Random(5);
        return name switch
        {
            "zero" => new double[slots],
            "ones" => [.. Enumerable.Repeat(1.0, slots)],
            "single" => [.. Enumerable.Range(0, slots).Select(i => i == 3 % slots ? 1.0 : 0)],
            "ramp" => [.. Enumerable.Range(0, slots).Select(i => (2.0 * i / slots) - 1)],
            "alternating" => [.. Enumerable.Range(0, slots).Select(i => i % 2 == 0 ? 1.0 : -1)],
            "signs" => [.. Enumerable.Range(0, slots).Select(_ => random.Next(2) == 0 ? 1.0 : -1)],
            "uniform" => [.. Enumerable.Range(0, slots).Select(_ => (2 * random.NextDouble()) - 1)],
            "gaussian" => [.. Enumerable.Range(0, slots).Select(_ => Math.Clamp(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()) / 4, -1, 1))],
            _ => throw new ArgumentOutOfRangeException(nameof(name), name, "No such input."),
        };
    }

    public void Dispose() => Engine.Dispose();
}

[CollectionDefinition(Name)]
public sealed class BootstrapTests : ICollectionFixture<BootstrapFixture>
{
    public const string Name = "bootstrapping";
}
