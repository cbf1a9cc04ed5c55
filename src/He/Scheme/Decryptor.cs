using System.Numerics;
using System.Security.Cryptography;
using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Scheme;

/// <summary>
/// Decryption. Results carry key-dependent noise (IND-CPA-D), so whole slots stay inside of the owner's code; what leaves it goes through <see cref="Release(Ciphertext, ReleasePolicy)"/>.
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

    /// <summary>
    /// Slots that may leave the owner: Gaussian noise is added that drowns the key-dependent one (Li, Micciancio, Schultz, Sorrell 2022), and values are
    /// rounded to a step that the parameters and the policy fix, not the data.
    /// </summary>
    /// <exception cref="ReleaseRefusedException">The added noise would be above what the policy tolerates.</exception>
    public Released Release(Ciphertext ciphertext, ReleasePolicy policy)
    {
        Span<byte> seed = stackalloc byte[Seed.Bytes];
        RandomNumberGenerator.Fill(seed);
        using var noise = new RandomStream(seed, "release");
        CryptographicOperations.ZeroMemory(seed);
        return Release(ciphertext, policy, noise);
    }

    /// <summary>With noise that can be made again: for tests only.</summary>
    internal Released Release(Ciphertext ciphertext, ReleasePolicy policy, RandomStream noise)
    {
        var deviation = policy.Flooding(ciphertext);
        using var plaintext = Decrypt(ciphertext);
        var encoder = new Encoder(_context);
        var coefficients = encoder.Coefficients(plaintext);
        var width = deviation / Math.Sqrt(coefficients.Length) * ciphertext.Scale.High;
        for (var i = 0; i < coefficients.Length; i += 2)
        {
            var (x, y) = Samplers.Gaussians(noise);
            coefficients[i] += width * x;
            coefficients[i + 1] += width * y;
        }

        var step = ReleasePolicy.Step(ciphertext);
        var slots = Array.ConvertAll(encoder.Decode(coefficients, ciphertext.Scale), v => new Complex(Rounded(v.Real), Rounded(v.Imaginary)));
        Array.Clear(coefficients);
        return new Released(slots, step, deviation);

        double Rounded(double value) => Math.Round(value / step) * step;
    }

    /// <summary>Slots with their noise, for the owner only.</summary>
    internal Complex[] Slots(Ciphertext ciphertext)
    {
        using var plaintext = Decrypt(ciphertext);
        return new Encoder(_context).Decode(plaintext);
    }

    /// <summary>Σ cᵢ·sⁱ by Horner's rule from the last part down, in secret memory.</summary>
    internal static Polynomial Phase(RingContext ring, IReadOnlyList<Polynomial> parts, int limbs, Polynomial secret)
    {
        var sum = ring.NewPolynomial(limbs, secret: true);
        ring.Team.For(limbs, i =>
        {
            var kernels = ring.Chain(i);
            kernels.Copy(sum[i], parts[^1][i]);
            for (var part = parts.Count - 2; part >= 0; part--)
            {
                kernels.Multiply(sum[i], sum[i], secret[i]);
                kernels.Add(sum[i], sum[i], parts[part][i]);
            }
        });
        return sum;
    }

    internal Plaintext Decrypt(Ciphertext ciphertext)
    {
        var sum = Phase(_context.Ring, LimbPayload.Of(ciphertext.Payload), ciphertext.Level + 1, _key.Polynomial);
        GC.KeepAlive(ciphertext);
        GC.KeepAlive(_key);
        return new Plaintext(sum, ciphertext.Level, ciphertext.Scale);
    }
}
