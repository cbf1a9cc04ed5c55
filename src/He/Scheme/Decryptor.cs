using System.Numerics;
using System.Security.Cryptography;

namespace ActorTrainer.He.Scheme;

/// <summary>
/// Decryption. Results carry key-dependent noise (IND-CPA-D), so whole slots stay inside of the owner's code; see <see cref="Encoder"/>.
/// </summary>
public sealed unsafe class Decryptor
{
    private readonly CkksContext _context;
    private readonly SecretKey _key;

    /// <exception cref="ArgumentException">The key is of other parameters.</exception>
    public Decryptor(CkksContext context, SecretKey key)
    {
        if (!CryptographicOperations.FixedTimeEquals(key.Fingerprint, context.Parameters.Fingerprint.Span))
        {
            throw new ArgumentException($"The secret key belongs to other parameters than {context.Parameters}.", nameof(key));
        }

        (_context, _key) = (context, key);
    }

    /// <summary>Slots with their noise, for the owner only.</summary>
    internal Complex[] Slots(Ciphertext ciphertext)
    {
        using var plaintext = Decrypt(ciphertext);
        return new Encoder(_context).Decode(plaintext);
    }

    /// <summary>c₀ + c₁·s + c₂·s².</summary>
    internal Plaintext Decrypt(Ciphertext ciphertext)
    {
        var ring = _context.Ring;
        var parts = LimbPayload.Of(ciphertext.Payload);
        var sum = ring.NewPolynomial(ciphertext.Level + 1, secret: true);
        ring.Team.For(sum.Limbs, i =>
        {
            // Horner's rule from the last part down.
            var kernels = ring.Chain(i);
            kernels.Copy(sum[i], parts[^1][i]);
            for (var part = ciphertext.Size - 2; part >= 0; part--)
            {
                kernels.Multiply(sum[i], sum[i], _key.Polynomial[i]);
                kernels.Add(sum[i], sum[i], parts[part][i]);
            }
        });
        GC.KeepAlive(ciphertext);
        GC.KeepAlive(_key);
        return new Plaintext(sum, ciphertext.Level, ciphertext.Scale);
    }
}
