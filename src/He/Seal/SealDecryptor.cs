using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Seal;

/// <summary>
/// Decryption. As everywhere in CKKS results carry noise that depends on the key (IND-CPA-D), so they stay inside of the owner's code.
/// </summary>
public sealed unsafe class SealDecryptor
{
    private readonly SealContext _context;
    private readonly SealSecretKey _key;

    /// <exception cref="MisuseException">The key is of other parameters.</exception>
    public SealDecryptor(SealContext context, SealSecretKey key)
    {
        SealMisuse.Own(context.Parameters, "secret key", key.Id);
        (_context, _key) = (context, key);
    }

    /// <summary>Σ cᵢ·sⁱ, equal to SEAL's bit for bit.</summary>
    /// <exception cref="MisuseException">The ciphertext is of other parameters.</exception>
    internal SealPlaintext Decrypt(SealCiphertext ciphertext)
    {
        SealMisuse.Own(_context.Parameters, ciphertext);
        var (ring, parts) = (_context.Ring, ciphertext.Parts);
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
        return new SealPlaintext(sum, ciphertext.Id, ciphertext.Scale);
    }
}
