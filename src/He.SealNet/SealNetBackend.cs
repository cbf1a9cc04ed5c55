using System.Numerics;
using ActorTrainer.He.Backends;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;
using Microsoft.Research.SEAL;
using Encryptor = Microsoft.Research.SEAL.Encryptor;
using Evaluator = Microsoft.Research.SEAL.Evaluator;
using Native = Microsoft.Research.SEAL.Ciphertext;
using Plaintext = Microsoft.Research.SEAL.Plaintext;

namespace ActorTrainer.He.SealNet;

/// <summary>
/// Our programs on SEAL. Our evaluator keeps exact scales and has checked them; SEAL keeps its own as doubles and compares them to the last bit,
/// so an operand takes the other one's before a sum. SEAL makes no ciphertext of zero: products with zero are fresh encryptions of it, other
/// results of zero are its exceptions. There is no hoisting: each automorphism raises its digits anew.
/// </summary>
public sealed partial class SealNetBackend : IBackend, IDisposable
{
    private readonly SealNetContext _context;
    private readonly SealNetKeys _keys;
    private readonly Evaluator _evaluator;
    private readonly CKKSEncoder _encoder;
    private readonly Encryptor _encryptor;

    public SealNetBackend(SealNetContext context, SealNetKeys keys)
    {
        (_context, _keys) = (context, keys);
        (_evaluator, _encoder, _encryptor) = (new Evaluator(context.Native), new CKKSEncoder(context.Native), new Encryptor(context.Native, keys.Encryption));
    }

    public CkksParameters Parameters => _context.Parameters;

    public IPayload Add(IPayload a, IPayload b, int level) => From(a, sum => WithScaleOf(sum, b, other => _evaluator.AddInplace(sum, other)));

    public IPayload Subtract(IPayload a, IPayload b, int level) => From(a, sum => WithScaleOf(sum, b, other => _evaluator.SubInplace(sum, other)));

    public IPayload Negate(IPayload a, int level) => From(a, _evaluator.NegateInplace);

    public IPayload Add(IPayload a, PlainVector m, int level, Scale scale)
    {
        using var plaintext = Encoded(m, level, scale);
        return Add(a, plaintext);
    }

    public IPayload Add(IPayload a, ScaledConstant constant, int level)
    {
        using var plaintext = Encoded(constant, level);
        return Add(a, plaintext);
    }

    public IPayload Multiply(IPayload a, PlainVector m, int level, Scale scale)
    {
        using var plaintext = Encoded(m, level, scale);
        return Multiply(a, plaintext, scale, level);
    }

    public IPayload Multiply(IPayload a, ScaledConstant constant, int level)
    {
        using var plaintext = Encoded(constant, level);
        return Multiply(a, plaintext, constant.Scale, level);
    }

    public IPayload Multiply(IPayload a, IPayload b, int level) => From(a, product =>
    {
        if (a == b)
        {
            _evaluator.SquareInplace(product);
        }
        else
        {
            _evaluator.MultiplyInplace(product, SealNetPayload.Of(b));
        }
    });

    public IPayload Relinearise(IPayload a, int level)
    {
        var key = _keys.Products ?? throw Missing("Relinearisation", KeyRequest.Relinearisation, level);
        return From(a, product => _evaluator.RelinearizeInplace(product, key));
    }

    public IPayload Rescale(IPayload a, int level) => From(a, product => _evaluator.RescaleToNextInplace(product));

    public IPayload Drop(IPayload a, int level) => From(a, dropped => _evaluator.ModSwitchToInplace(dropped, _context.At(level)));

    public IPayload[] Automorphisms(IPayload a, IReadOnlyList<int> elements, int level)
    {
        foreach (var element in elements)
        {
            if (!_keys.Automorphisms.HasKey(_context.Element(element)))
            {
                throw Missing("An automorphism", element, level);
            }
        }

        return [.. elements.Select(element => From(a, moved => _evaluator.ApplyGaloisInplace(moved, _context.Element(element), _keys.Automorphisms)))];
    }

    public void Dispose()
    {
        _evaluator.Dispose();
        _encoder.Dispose();
        _encryptor.Dispose();
    }

    /// <summary>All slots; fewer values are repeated.</summary>
    internal static Complex[] Filled(PlainVector m, int slots) => [.. Enumerable.Range(0, slots).Select(i => m.Values[i & (m.Values.Count - 1)])];

    private static MissingKeyException Missing(string purpose, int element, int level) =>
        new($"{purpose} at level {level} needs a key for element {element} that was not made. Request it when keys are made; a plan lists all requests of a program.");

    private static SealNetPayload From(IPayload a, Action<Native> work)
    {
        var result = new Native(SealNetPayload.Of(a));
        try
        {
            work(result);
            return new SealNetPayload(result);
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }

    /// <summary>Our evaluator found the scales equal to 2^−62; doubles may still differ in their last bits.</summary>
    private static void WithScaleOf(Native sum, IPayload b, Action<Native> work)
    {
        var other = SealNetPayload.Of(b);
        sum.Scale = other.Scale;
        work(other);
    }

    private SealNetPayload Add(IPayload a, Plaintext plaintext) => From(a, sum =>
    {
        var scale = sum.Scale;
        sum.Scale = plaintext.Scale;
        _evaluator.AddPlainInplace(sum, plaintext);
        sum.Scale = scale;
    });

    private SealNetPayload Multiply(IPayload a, Plaintext plaintext, Scale scale, int level)
    {
        var native = SealNetPayload.Of(a);
        Native product;
        if (plaintext.IsZero)
        {
            product = new Native();
            _encryptor.EncryptZero(_context.At(level), product);
        }
        else
        {
            product = new Native(native);
            _evaluator.MultiplyPlainInplace(product, plaintext);
        }

        product.Scale = native.Scale * scale.High;
        return new SealNetPayload(product);
    }

    private Plaintext Encoded(PlainVector m, int level, Scale scale)
    {
        var plaintext = new Plaintext();
        _encoder.Encode(Filled(m, Parameters.Slots), _context.At(level), scale.High, plaintext);
        return plaintext;
    }

    /// <summary>The rounded number itself, for SEAL at scale 1.</summary>
    private Plaintext Encoded(ScaledConstant constant, int level)
    {
        var value = (double)constant.Scaled;
        if ((Int128)value != constant.Scaled)
        {
            throw new MisuseException($"The integer {constant.Scaled} is above 2^53, and SEAL's encoder takes doubles. Multiply by two smaller ones.");
        }

        var plaintext = new Plaintext();
        _encoder.Encode(value, _context.At(level), 1.0, plaintext);
        return plaintext;
    }
}
