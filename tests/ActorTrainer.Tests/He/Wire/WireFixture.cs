using ActorTrainer.He.Parameters;
using ActorTrainer.He.Ring;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Wire;

namespace ActorTrainer.Tests.He;

/// <summary>A tiny set with objects of every kind, all made from fixed seeds and messages of zero, so that no rounding of any machine is in their bytes.</summary>
internal sealed class WireFixture : IDisposable
{
    /// <summary>N = 2^5, three primes of two sizes and a special one: three digits.</summary>
    public static readonly ParametersLiteral Tiny = new()
    {
        Name = "InsecureTestWire",
        LogDegree = 5,
        Chain = [new(40, 1, "message"), new(30, 2, "products")],
        Special = new(49, 1, "key switching"),
        Purpose = "tests of wire formats",
        AllowInsecure = true,
    };

    private readonly KeyGenerator _generator;
    private readonly Encryptor _encryptor;
    private readonly List<IDisposable> _owned = [];

    public WireFixture(ParametersLiteral? literal = null, KernelChoice kernels = KernelChoice.Fastest)
    {
        Context = new CkksContext(new CkksParameters(literal ?? Tiny), 1, kernels);
        _generator = new KeyGenerator(Context, HeFixture.FixedSeed(1), allowInsecure: true);
        Secret = _generator.NewSecretKey();
        PublicKey = _generator.NewPublicKey(Secret);
        Requests = [new(KeyRequest.Relinearisation, Parameters.MaxLevel), new(Galois.Rotation(Parameters, 1), 1), new(Galois.Conjugation(Parameters), 0)];
        Keys = _generator.NewEvaluationKeys(Secret, Requests);
        _encryptor = new Encryptor(Context, HeFixture.FixedSeed(2));
        Evaluator = new Evaluator(new CkksBackend(Context, Keys));
    }

    public CkksContext Context { get; }

    public CkksParameters Parameters => Context.Parameters;

    public SecretKey Secret { get; }

    public PublicKey PublicKey { get; }

    public EvaluationKeys Keys { get; }

    public KeyRequest[] Requests { get; }

    public Evaluator Evaluator { get; }

    /// <summary>Keys to a sparse secret and back, of a generator of their own.</summary>
    public EncapsulationKeys Encapsulation()
    {
        using var generator = new KeyGenerator(Context, HeFixture.FixedSeed(3), allowInsecure: true);
        var keys = generator.NewEncapsulationKeys(Secret);
        _owned.Add(keys);
        return keys;
    }

    /// <summary>Of values that repeat, by default zeros.</summary>
    public Ciphertext Encrypt(int level, bool seeded, params double[] values)
    {
        using var message = new Encoder(Context).Encode(values.Length == 0 ? [0.0] : values, level, Parameters.ScaleAt(level));
        return Own(seeded ? _encryptor.Encrypt(message, Secret) : _encryptor.Encrypt(message, PublicKey));
    }

    /// <summary>Three parts.</summary>
    public Ciphertext Product(int level) => Own(Evaluator.MultiplyLazy(Encrypt(level, seeded: false), Encrypt(level, seeded: true)));

    public double Decrypted(Ciphertext ciphertext) => new Decryptor(Context, Secret).Slots(ciphertext)[0].Real;

    /// <summary>Ciphertexts of every level and form.</summary>
    public byte[][] CiphertextBytes() =>
    [
        .. Enumerable.Range(0, Parameters.MaxLevel + 1).SelectMany(level => new[] { true, false }.Select(seeded => WireWriter.ToBytes(Context, Encrypt(level, seeded)))),
        .. Enumerable.Range(1, Parameters.MaxLevel).Select(level => WireWriter.ToBytes(Context, Product(level))),
    ];

    public byte[][] KeyBytes() =>
    [
        WireWriter.ToBytes(Context, Keys, Requests.Take(1)),
        WireWriter.ToBytes(Context, Keys, Requests.Take(2).Select(request => request with { Level = request.Level - 1 })),
        WireWriter.ToBytes(Context, Keys, Requests.Skip(2)),
        WireWriter.ToBytes(Context, Keys, []),
    ];

    public void Dispose()
    {
        _owned.ForEach(owned => owned.Dispose());
        _encryptor.Dispose();
        Keys.Dispose();
        PublicKey.Dispose();
        Secret.Dispose();
        _generator.Dispose();
        Context.Dispose();
    }

    private Ciphertext Own(Ciphertext ciphertext)
    {
        _owned.Add(ciphertext);
        return ciphertext;
    }
}
