using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Seal;

/// <summary>
/// Decryption. As everywhere in CKKS results carry noise that depends on the key (IND-CPA-D), so they stay inside of the owner's code.
/// </summary>
public sealed class SealDecryptor
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
        var sum = Decryptor.Phase(_context.Ring, ciphertext.Parts, ciphertext.Level + 1, _key.Polynomial);
        GC.KeepAlive(ciphertext);
        GC.KeepAlive(_key);
        return new SealPlaintext(sum, ciphertext.Id, ciphertext.Scale);
    }
}
