using System.Runtime.InteropServices;
using ActorTrainer.He.Seal;

namespace ActorTrainer.Tests.He.Seal;

/// <summary>One folder of golden files: what SEAL made under one parameter set.</summary>
internal sealed class GoldenSet : IDisposable
{
    private readonly string _folder;
    private readonly SealReader _reader;

    public GoldenSet(string name)
    {
        _folder = Path.Combine(AppContext.BaseDirectory, "He", "Seal", "golden", name);
        Context = new SealContext(SealReader.ReadParameters(Bytes("parameters")), allowInsecure: name != "secure");
        _reader = new SealReader(Context);
        Evaluator = new SealEvaluator(Context);
        Encoder = new SealEncoder(Context);
        Secret = SealSecretKeyFile.Read(Context, Bytes("secret"));
        Decryptor = new SealDecryptor(Context, Secret);
    }

    public SealContext Context { get; }

    public SealEvaluator Evaluator { get; }

    public SealEncoder Encoder { get; }

    public SealSecretKey Secret { get; }

    public SealDecryptor Decryptor { get; }

    public byte[] Bytes(string file) => File.ReadAllBytes(Path.Combine(_folder, file + ".seal"));

    public bool Has(string file) => File.Exists(Path.Combine(_folder, file + ".seal"));

    public double[] Numbers(string file) => MemoryMarshal.Cast<byte, double>(File.ReadAllBytes(Path.Combine(_folder, file + ".f64"))).ToArray();

    public SealCiphertext Ciphertext(string file) => _reader.ReadCiphertext(Bytes(file));

    public SealPlaintext Plaintext(string file) => _reader.ReadPlaintext(Bytes(file));

    public SealPublicKey PublicKey() => _reader.ReadPublicKey(Bytes("public"));

    public SealRelinearisationKeys RelinearisationKeys() => _reader.ReadRelinearisationKeys(Bytes("relinearisation"));

    public SealGaloisKeys GaloisKeys() => _reader.ReadGaloisKeys(Bytes("galois"));

    /// <summary>The residues, level and scale as bytes of an uncompressed file, seeds expanded: equal if and only if every bit is.</summary>
    public byte[] Canonical(SealCiphertext ciphertext)
    {
        var bytes = new SealWriter(Context).Write(new SealCiphertext(ciphertext.Parts, ciphertext.Id, ciphertext.Scale));
        GC.KeepAlive(ciphertext);
        return bytes;
    }

    public byte[] Canonical(SealPlaintext plaintext) => new SealWriter(Context).Write(plaintext);

    public void Dispose()
    {
        Secret.Dispose();
        Context.Dispose();
    }
}
