using System.Numerics;
using ActorTrainer.He.Backends;
using ActorTrainer.He.Scheme;
using Microsoft.Research.SEAL;
using Ciphertext = ActorTrainer.He.Scheme.Ciphertext;
using Decryptor = Microsoft.Research.SEAL.Decryptor;
using Encryptor = Microsoft.Research.SEAL.Encryptor;
using KeyGenerator = Microsoft.Research.SEAL.KeyGenerator;
using Native = Microsoft.Research.SEAL.Ciphertext;
using Plaintext = Microsoft.Research.SEAL.Plaintext;
using PublicKey = Microsoft.Research.SEAL.PublicKey;
using SecretKey = Microsoft.Research.SEAL.SecretKey;

namespace ActorTrainer.He.SealNet;

/// <summary>Who holds SEAL's secret key: makes the keys that a program asks for, encrypts, decrypts.</summary>
public sealed class SealNetOwner : IDisposable
{
    private readonly SealNetContext _context;
    private readonly KeyGenerator _generator;
    private readonly SecretKey _secret;
    private readonly PublicKey _public;
    private readonly Encryptor _encryptor;
    private readonly Decryptor _decryptor;
    private readonly CKKSEncoder _encoder;

    public SealNetOwner(SealNetContext context)
    {
        _context = context;
        _generator = new KeyGenerator(context.Native);
        _secret = _generator.SecretKey;
        _generator.CreatePublicKey(out _public);
        _encryptor = new Encryptor(context.Native, _public);
        _decryptor = new Decryptor(context.Native, _secret);
        _encoder = new CKKSEncoder(context.Native);
    }

    /// <summary>Keys for every request; SEAL's serve all levels, whatever level was asked for.</summary>
    public SealNetKeys NewEvaluationKeys(IEnumerable<KeyRequest> requests)
    {
        int[] elements = [.. requests.Select(r => r.Element).Distinct()];
        RelinKeys? products = null;
        if (elements.Contains(KeyRequest.Relinearisation))
        {
            _generator.CreateRelinKeys(out products);
        }

        _generator.CreateGaloisKeys(elements.Where(e => e != KeyRequest.Relinearisation).Select(_context.Element), out var automorphisms);
        return new SealNetKeys(new PublicKey(_public), products, automorphisms);
    }

    /// <summary>At the level's canonical scale.</summary>
    /// <param name="magnitude">A bound on the slots that the program declares.</param>
    public Ciphertext Encrypt(PlainVector values, int level, double magnitude = 1)
    {
        var (parameters, scale) = (_context.Parameters, _context.Parameters.ScaleAt(level));
        using var plaintext = new Plaintext();
        _encoder.Encode(SealNetBackend.Filled(values, parameters.Slots), _context.At(level), scale.High, plaintext);
        var result = new Native();
        _encryptor.Encrypt(plaintext, result);
        return new Ciphertext(new SealNetPayload(result), parameters, level, scale, NoiseModel.Public(parameters), magnitude);
    }

    /// <summary>The slots, with noise that depends on the secret key: for the owner's eyes only.</summary>
    public Complex[] Decrypt(Ciphertext ciphertext)
    {
        using var copy = new Native(SealNetPayload.Of(ciphertext.Payload)) { Scale = ciphertext.Scale.High };
        using var plaintext = new Plaintext();
        _decryptor.Decrypt(copy, plaintext);
        var slots = new List<Complex>();
        _encoder.Decode(plaintext, slots);
        return [.. slots];
    }

    public void Dispose()
    {
        _encoder.Dispose();
        _decryptor.Dispose();
        _encryptor.Dispose();
        _public.Dispose();
        _secret.Dispose();
        _generator.Dispose();
    }
}
