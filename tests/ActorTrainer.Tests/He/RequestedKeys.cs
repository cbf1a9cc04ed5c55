using System.Numerics;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Ring;
using ActorTrainer.He.Scheme;
using Xunit;

namespace ActorTrainer.Tests.He;

/// <summary>An engine with the keys that a program requests and no others, each up to the level requested.</summary>
internal sealed class RequestedKeys : IDisposable
{
    private readonly HeFixture _he;
    private readonly KeyGenerator _generator;
    private readonly EvaluationKeys _keys;

    public RequestedKeys(ParametersLiteral literal, Func<CkksParameters, IEnumerable<KeyRequest>> requests, int threads = 1, DiagonalCache? cache = null, KernelChoice kernels = KernelChoice.Fastest)
    {
        _he = new HeFixture(literal, [], threads, kernels);
        _generator = new KeyGenerator(_he.Context, HeFixture.FixedSeed(3), allowInsecure: true);
        _keys = _generator.NewEvaluationKeys(_he.Secret, requests(_he.Parameters));
        Evaluator = new Evaluator(new CkksBackend(_he.Context, _keys) { Diagonals = cache });
    }

    public CkksParameters Parameters => _he.Parameters;

    public LimbPool Pool => _he.Context.Ring.Pool;

    public Evaluator Evaluator { get; }

    public Complex[] Random(int seed) => _he.Random(seed);

    public Ciphertext Encrypt(Complex[] values, int? level = null) => _he.Encrypt(values, level);

    public Complex[] Decrypt(Ciphertext ciphertext) => _he.Decrypt(ciphertext);

    /// <summary>The root mean square error is within two bits of the noise model.</summary>
    public void Check(Ciphertext result, IEnumerable<Complex> expected)
    {
        var bits = Math.Log2(_he.Error(result, expected) / result.EstimatedError);
        Assert.True(Math.Abs(bits) <= 2, $"{bits:F2} bits from the model.");
    }

    public void Dispose()
    {
        _keys.Dispose();
        _generator.Dispose();
        _he.Dispose();
    }
}
