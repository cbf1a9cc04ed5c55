using System.Numerics;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Ring;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.Tests.He;

/// <summary>One owner's keys over one parameter set, made from a fixed seed, with keys for the rotations asked for.</summary>
internal sealed class HeFixture : IDisposable
{
    private readonly KeyGenerator _generator;
    private readonly EvaluationKeys _keys;
    private readonly PublicKey _public;
    private readonly Decryptor _decryptor;

    public HeFixture(ParametersLiteral literal, IReadOnlyList<int> rotations, int parallelism = 1, KernelChoice kernels = KernelChoice.Fastest)
    {
        Context = new CkksContext(new CkksParameters(literal), parallelism, kernels);
        var top = Context.Parameters.MaxLevel;
        _generator = new KeyGenerator(Context, FixedSeed(1), allowInsecure: true);
        Secret = _generator.NewSecretKey();
        _public = _generator.NewPublicKey(Secret);
        _keys = _generator.NewEvaluationKeys(Secret, [
            new(KeyRequest.Relinearisation, top),
            new(Galois.Conjugation(Parameters), top),
            .. rotations.Select(r => new KeyRequest(Galois.Rotation(Parameters, r), top))]);
        Encoder = new Encoder(Context);
        Encryptor = new Encryptor(Context, FixedSeed(2));
        Evaluator = new Evaluator(new CkksBackend(Context, _keys));
        _decryptor = new Decryptor(Context, Secret);
    }

    public CkksContext Context { get; }

    public CkksParameters Parameters => Context.Parameters;

    public SecretKey Secret { get; }

    public Encoder Encoder { get; }

    public Encryptor Encryptor { get; }

    public Evaluator Evaluator { get; }

    public static Seed FixedSeed(byte value) => new([.. Enumerable.Repeat(value, Seed.Bytes)]);

    public Complex[] Random(int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, Parameters.Slots).Select(_ => new Complex((2 * random.NextDouble()) - 1, (2 * random.NextDouble()) - 1) / Math.Sqrt(2))];
    }

    public Plaintext Encode(Complex[] values, int level) => Encoder.Encode(values, level, Parameters.ScaleAt(level));

    public Ciphertext Encrypt(Complex[] values, int? level = null)
    {
        using var plaintext = Encode(values, level ?? Parameters.MaxLevel);
        return Encryptor.Encrypt(plaintext, _public);
    }

    public Complex[] Decrypt(Ciphertext ciphertext) => _decryptor.Slots(ciphertext);

    /// <summary>Root mean square of the slots' errors.</summary>
    public double Error(Ciphertext ciphertext, IEnumerable<Complex> expected) =>
        Math.Sqrt(Decrypt(ciphertext).Zip(expected, (found, value) => (found - value).Magnitude).Average(e => e * e));

    public void Dispose()
    {
        Encryptor.Dispose();
        _keys.Dispose();
        _public.Dispose();
        Secret.Dispose();
        _generator.Dispose();
        Context.Dispose();
    }
}
