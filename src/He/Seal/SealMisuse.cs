using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Seal;

/// <summary>Refusals that several classes share.</summary>
internal static class SealMisuse
{
    public static void Own(SealParameters parameters, SealCiphertext ciphertext) => OwnLevel(parameters, ciphertext.ToString(), ciphertext.Id, ciphertext.Level);

    public static void Own(SealParameters parameters, SealPlaintext plaintext) => OwnLevel(parameters, plaintext.ToString(), plaintext.Id, plaintext.Level);

    /// <summary>Keys, which are over all primes.</summary>
    public static void Own(SealParameters parameters, string what, ParmsId id)
    {
        if (id != parameters.KeyId)
        {
            throw new MisuseException($"The {what} belongs to other parameters than {parameters}. Make or read it under these parameters.");
        }
    }

    private static void OwnLevel(SealParameters parameters, string what, ParmsId id, int level)
    {
        if (level > parameters.MaxLevel || id != parameters.IdAt(level))
        {
            throw new MisuseException($"The {what} belongs to other parameters than {parameters}. Make or read it under these parameters.");
        }
    }
}
