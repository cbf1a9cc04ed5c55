using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Wire;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>What keys are made for; all of it is public.</summary>
/// <param name="Model">Name of the base model.</param>
/// <param name="EmbeddingSha256">Hash of its embedding: see <see cref="Model.Export.DataExport.EmbeddingHash"/>.</param>
/// <param name="Tasks">Names of the tasks.</param>
/// <param name="Packing">Of the program; rotations, and so keys, follow from it.</param>
public sealed record KeyPurpose(string Model, string EmbeddingSha256, IReadOnlyList<string> Tasks, PackingShape Packing);

/// <summary>One evaluation key.</summary>
/// <param name="Element">Galois element; 0 for products.</param>
/// <param name="Level">The highest level of its use.</param>
/// <param name="Bytes">Its part of the file.</param>
public sealed record KeyEntry(int Element, int Level, long Bytes);

/// <summary>The public side of an owner's keys, <c>keys.json</c> in their folder: whoever computes on ciphertexts needs this and the evaluation keys.</summary>
public sealed record KeyManifest
{
    /// <summary>Name of the file.</summary>
    public const string FileName = "keys.json";

    /// <summary>Name of the file with the evaluation keys, in the engine's wire format.</summary>
    public const string EvaluationKeysName = "evaluation.keys";

    /// <summary>Name of the file with the public key, in the engine's wire format.</summary>
    public const string PublicKeyName = "public.key";

    /// <summary>The format this build writes and reads.</summary>
    public const int CurrentFormat = 1;

    private const string Remedy = "Make new keys in another folder, and encrypt again with them.";

    /// <summary>Version of the format.</summary>
    public required int Format { get; init; }

    /// <summary>Name of the parameter set.</summary>
    public required string ParameterSet { get; init; }

    /// <summary>The parameters in the engine's wire format.</summary>
    public required byte[] Parameters { get; init; }

    /// <summary>SHA-256 of degree and primes.</summary>
    public required string ParametersSha256 { get; init; }

    /// <summary>Name of the keys: SHA-256 of the public key's file, to which the secret key is bound.</summary>
    public required string KeySha256 { get; init; }

    /// <summary>What they are made for.</summary>
    public required KeyPurpose Purpose { get; init; }

    /// <summary>The public key.</summary>
    public required EncryptedFile PublicKey { get; init; }

    /// <summary>The evaluation keys.</summary>
    public required EncryptedFile EvaluationKeys { get; init; }

    /// <summary>Which evaluation keys there are, elements rising.</summary>
    public required IReadOnlyList<KeyEntry> Requests { get; init; }

    /// <summary>Reads the manifest of a folder of keys.</summary>
    /// <exception cref="RefusedException">There is none, it is damaged, or of another version.</exception>
    public static KeyManifest Load(string folder) =>
        ManifestFile.Load<KeyManifest>(Path.Combine(folder, FileName), CurrentFormat, manifest => manifest.Format, Remedy)
        ?? throw new RefusedException($"{folder}: no keys there (no {FileName}); make them with keygen, or name their folder with he.keys=….");

    /// <summary>The parameters, made again from their literal.</summary>
    /// <param name="allowInsecure">Whether sets for tests are accepted.</param>
    /// <exception cref="RefusedException">They are none, not those that the manifest names, or insecure.</exception>
    public CkksParameters ReadParameters(bool allowInsecure)
    {
        try
        {
            var parameters = WireReader.ReadParameters(Parameters, allowInsecure);
            return Convert.ToHexStringLower(parameters.Fingerprint.Span) == ParametersSha256 && parameters.Name == ParameterSet
                ? parameters
                : throw new RefusedException($"{FileName} names parameters {ParameterSet} ({ParametersSha256}), but holds {parameters.Name}. {Remedy}");
        }
        catch (WireFormatException e)
        {
            throw new RefusedException($"The parameters in {FileName}: {e.Message}", e);
        }
    }

    /// <summary>Reads evaluation keys into memory.</summary>
    /// <param name="folder">The folder of the keys.</param>
    /// <param name="context">Of their parameters.</param>
    /// <param name="wanted">Those that are kept; null: all.</param>
    /// <param name="budgetBytes">Native memory for them; null: as much as they take.</param>
    /// <exception cref="RefusedException">The file is missing, damaged, or of other parameters.</exception>
    public EvaluationKeys ReadEvaluationKeys(string folder, CkksContext context, IReadOnlyCollection<KeyRequest>? wanted = null, long? budgetBytes = null)
    {
        Require(EvaluationKeys.Problem(folder));
        var path = Path.Combine(folder, EvaluationKeys.Name);
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20, FileOptions.SequentialScan);
            return Read(stream, context, new WireLimits { MaxBytes = EvaluationKeys.Bytes, MaxKeys = Math.Max(1, Requests.Count) }, wanted, budgetBytes);
        }
        catch (Exception e) when (e is WireFormatException or IOException or UnauthorizedAccessException)
        {
            throw new RefusedException($"{path}: {e.Message}", e);
        }
    }

    /// <summary>Reads what a file of evaluation keys holds: the set, and the keys for bootstrapping where they follow it.</summary>
    /// <param name="wanted">The keys of the set that are kept; null: all.</param>
    /// <param name="budgetBytes">Native memory for them; null: as much as they take.</param>
    /// <exception cref="WireFormatException">The file is damaged, or of other parameters.</exception>
    internal static EvaluationKeys Read(Stream stream, CkksContext context, WireLimits limits, IReadOnlyCollection<KeyRequest>? wanted = null, long? budgetBytes = null)
    {
        var keys = WireReader.ReadEvaluationKeys(stream, context, limits, wanted, budgetBytes);
        if (stream.Position < stream.Length)
        {
            keys.Add(WireReader.ReadEncapsulationKeys(stream, context, limits));
        }

        return keys;
    }

    internal static void Require(string? problem)
    {
        if (problem is not null)
        {
            throw new RefusedException($"{problem}. {Remedy}");
        }
    }
}
