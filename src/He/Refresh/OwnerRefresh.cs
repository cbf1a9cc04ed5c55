using System.Numerics;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Refresh;

/// <summary>
/// What the data owner does for a refresh: decrypts to coefficients, scales them to the wanted level's canonical scale, and encrypts them freshly. Slots are never decoded, so any
/// packing is served; the error is that of a fresh encryption. The answer is well-formed whatever the values are, so it tells the servers nothing. Threads may call at once.
/// </summary>
public sealed unsafe class OwnerRefresh(CkksContext context, SecretKey key, Encryptor encryptor)
{
    private readonly Decryptor _decryptor = new(context, key);
    private readonly Encoder _encoder = new(context);

    /// <param name="ciphertext">Of two or three parts, at any level.</param>
    /// <param name="level">The level of the result.</param>
    /// <param name="observe">Told of the slots, on the owner's side only: for checks of ranges. It must not change what is answered.</param>
    /// <returns>Seeded by a public seed, at the level's canonical scale.</returns>
    /// <exception cref="ArgumentOutOfRangeException">No such level.</exception>
    public Ciphertext Refresh(Ciphertext ciphertext, int level, Action<IReadOnlyList<Complex>>? observe = null)
    {
        if (level < 0 || level > context.Parameters.MaxLevel)
        {
            throw new ArgumentOutOfRangeException(nameof(level), level, $"Levels of {context.Parameters.Name} are 0 to {context.Parameters.MaxLevel}.");
        }

        using var decrypted = _decryptor.Decrypt(ciphertext);
        var coefficients = _encoder.Coefficients(decrypted);
        observe?.Invoke(_encoder.Decode(coefficients, ciphertext.Scale));
        var scale = context.Parameters.ScaleAt(level);
        var ratio = scale / ciphertext.Scale;
        using var message = Scaled(coefficients, ratio, level, scale);
        Array.Clear(coefficients);
        var fresh = encryptor.Encrypt(message, key, ciphertext.Magnitude);
        // An estimate may be anything that a sender wrote; one that is not finite could not be sent back.
        return fresh.WithNoise(Math.Min(fresh.NoiseVariance + (ciphertext.NoiseVariance * ratio.High * ratio.High), double.MaxValue));
    }

    /// <summary>Shows the slots on the owner's side and answers nothing: for final outputs and checks.</summary>
    /// <param name="ciphertext">Of two or three parts, at any level.</param>
    /// <param name="observe">Told of the slots.</param>
    public void Look(Ciphertext ciphertext, Action<IReadOnlyList<Complex>> observe)
    {
        using var decrypted = _decryptor.Decrypt(ciphertext);
        var coefficients = _encoder.Coefficients(decrypted);
        observe(_encoder.Decode(coefficients, ciphertext.Scale));
        Array.Clear(coefficients);
    }

    private Plaintext Scaled(double[] coefficients, Scale ratio, int level, Scale scale)
    {
        var ring = context.Ring;
        using var numbers = ring.NewPolynomial(1, secret: true);
        var rounded = new Span<double>(numbers[0], coefficients.Length);
        // Noise that got out of hand has coefficients near the modulus: they are carried as far as numbers are exact, and still answered.
        for (var i = 0; i < coefficients.Length; i++)
        {
            rounded[i] = Math.Clamp(Math.Round(coefficients[i] * ratio.High), -Encoder.MaxCoefficient, Encoder.MaxCoefficient);
        }

        return new Plaintext(_encoder.FromCoefficients((double*)numbers[0], level), level, scale);
    }
}
