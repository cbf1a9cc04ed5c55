using System.Numerics;
using ActorTrainer.He.Seal;

namespace ActorTrainer.Tests.He.Seal;

/// <summary>Keys and ciphertexts in SEAL's format that the engine makes from fixed seeds.</summary>
internal sealed class OurSet : IDisposable
{
    private readonly SealKeyGenerator _generator;
    private readonly SealEncryptor _encryptor;

    public OurSet(int degree, params int[] bits)
    {
        Context = new SealContext(SealParameters.Create(degree, bits), allowInsecure: true);
        var top = Context.Parameters.MaxLevel;
        (_generator, _encryptor) = (new SealKeyGenerator(Context, HeFixture.FixedSeed(3)), new SealEncryptor(Context, HeFixture.FixedSeed(4)));
        (Encoder, Evaluator) = (new SealEncoder(Context), new SealEvaluator(Context));
        (X, Y) = (Slots(1), Slots(2));
        Secret = _generator.NewSecretKey();
        Public = _generator.NewPublicKey(Secret);
        Relinearisation = _generator.NewRelinearisationKeys(Secret);
        Galois = _generator.NewGaloisKeys(Secret, [SealGalois.Rotation(Context.Parameters, 3), SealGalois.Conjugation(Context.Parameters)]);
        PlainX = Encoder.Encode(X, top, 1 << 30);
        using var plainY = Encoder.Encode(Y, top, 1 << 30);
        (A, B) = (_encryptor.Encrypt(PlainX, Public), _encryptor.Encrypt(plainY, Secret));
    }

    public SealContext Context { get; }

    public SealEncoder Encoder { get; }

    public SealEvaluator Evaluator { get; }

    public Complex[] X { get; }

    public Complex[] Y { get; }

    public SealSecretKey Secret { get; }

    public SealPublicKey Public { get; }

    public SealRelinearisationKeys Relinearisation { get; }

    public SealGaloisKeys Galois { get; }

    public SealPlaintext PlainX { get; }

    /// <summary>X by the public key.</summary>
    public SealCiphertext A { get; }

    /// <summary>Y by the secret key, with its seed.</summary>
    public SealCiphertext B { get; }

    public byte[] SecretFile
    {
        get
        {
            var bytes = new byte[SealSecretKeyFile.Bytes(Context.Parameters)];
            SealSecretKeyFile.Write(Context, Secret, bytes);
            return bytes;
        }
    }

    /// <summary>What SEAL is to read, by name.</summary>
    public Dictionary<string, byte[]> Files()
    {
        var writer = new SealWriter(Context);
        return new()
        {
            ["parameters"] = writer.WriteParameters(),
            ["secret"] = SecretFile,
            ["public"] = writer.Write(Public),
            ["relinearisation"] = writer.Write(Relinearisation),
            ["galois"] = writer.Write(Galois),
            ["plain-x"] = new SealWriter(Context) { Compression = SealCompression.Zlib }.Write(PlainX),
            ["a"] = new SealWriter(Context) { Version = SealVersion.V3 }.Write(A),
            ["b-seeded"] = writer.Write(B),
        };
    }

    public SealCiphertext Encrypt(SealPlaintext message) => _encryptor.Encrypt(message, Public);

    public void Dispose()
    {
        foreach (var part in new IDisposable[] { A, B, PlainX, Galois, Relinearisation, Public, Secret, _encryptor, _generator, Context })
        {
            part.Dispose();
        }
    }

    private Complex[] Slots(int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, Context.Parameters.Slots).Select(_ => new Complex((2 * random.NextDouble()) - 1, (2 * random.NextDouble()) - 1) / Math.Sqrt(2))];
    }
}
