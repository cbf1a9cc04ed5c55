using System.Security.Cryptography;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Wire;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Actors.KeyHolder;

/// <summary>
/// The data owner's keys, opened from their folder (mode 0700): <c>secret.key</c>, which never leaves it, <c>public.key</c>, <c>evaluation.keys</c> and
/// <c>keys.json</c>. The secret key is overwritten when disposed.
/// </summary>
public sealed class OwnerKeys : IDisposable
{
    /// <summary>Name of the file with the secret key.</summary>
    public const string SecretKeyName = "secret.key";

    private OwnerKeys(string folder, KeyManifest manifest, CkksContext context, SecretKey secret) =>
        (Folder, Manifest, Context, Secret) = (folder, manifest, context, secret);

    public string Folder { get; }

    /// <summary>The public side.</summary>
    public KeyManifest Manifest { get; }

    /// <summary>Of the keys' parameters.</summary>
    public CkksContext Context { get; }

    public CkksParameters Parameters => Context.Parameters;

    /// <summary>Stays on the owner's side.</summary>
    public SecretKey Secret { get; }

    /// <summary>
    /// Makes keys in a new folder, which appears when all of it is on disk. Evaluation keys are made and written one after the other, so memory does not
    /// grow with their number.
    /// </summary>
    /// <param name="folder">Where; must not exist.</param>
    /// <param name="parameters">Their parameters.</param>
    /// <param name="requests">The evaluation keys that the program asks for.</param>
    /// <param name="purpose">What they are made for.</param>
    /// <param name="allowInsecure">Without it, parameter sets that are not secure are refused.</param>
    /// <param name="threads">Threads that one operation may use.</param>
    /// <param name="bootstrapping">Whether keys to a sparse secret and back follow the others in their file.</param>
    /// <param name="progress">Told after each evaluation key: keys and bytes done, and all of them.</param>
    /// <param name="cancellation">Looked at between keys; nothing stays.</param>
    /// <exception cref="RefusedException">The folder exists, the disk is too small, the set is insecure, or no set has such keys.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static KeyManifest Create(
        string folder, CkksParameters parameters, IReadOnlyList<KeyRequest> requests, KeyPurpose purpose, bool allowInsecure = false, int threads = 1, bool bootstrapping = false,
        Action<KeyProgress>? progress = null, CancellationToken cancellation = default)
    {
        folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        if (Path.Exists(folder))
        {
            throw new RefusedException($"{folder} exists, and keys are never overwritten: without them nothing that was encrypted can be read. Take another folder with he.keys=…, or move it away.");
        }

        purpose.Packing.Of(parameters);
        if (requests.Any(request => request.Level < 0 || request.Level > parameters.MaxLevel))
        {
            throw new RefusedException($"Levels of {parameters.Name} are 0 to {parameters.MaxLevel}; a key was asked for at level {requests.First(r => r.Level < 0 || r.Level > parameters.MaxLevel).Level}. Use a larger set with he.set=….");
        }

        var wanted = KeyRequest.Union(requests);
        try
        {
            var bytes = WireSize.EvaluationKeys(parameters, wanted) + (bootstrapping ? WireSize.EncapsulationKeys(parameters) : 0);
            using var made = NewKeyFolder.Beside(folder, bytes);
            using var context = new CkksContext(parameters, threads);
            using var generator = new KeyGenerator(context, allowInsecure);
            using var secret = generator.NewSecretKey();
            var publicKey = WritePublicKey(made.Path, context, generator, secret);
            SecretKeyFile.Write(Path.Combine(made.Path, SecretKeyName), context, secret, Convert.FromHexString(publicKey.Sha256));
            var manifest = new KeyManifest
            {
                Format = KeyManifest.CurrentFormat,
                ParameterSet = parameters.Name,
                Parameters = WireWriter.ToBytes(parameters),
                ParametersSha256 = Convert.ToHexStringLower(parameters.Fingerprint.Span),
                KeySha256 = publicKey.Sha256,
                Purpose = purpose,
                PublicKey = publicKey,
                EvaluationKeys = WriteEvaluationKeys(made.Path, context, wanted, bytes, request => generator.NewEvaluationKeys(secret, [request]),
                    bootstrapping ? () => generator.NewEncapsulationKeys(secret) : null, progress, cancellation),
                Requests = [.. wanted.Select(request => new KeyEntry(request.Element, request.Level, WireSize.Key(parameters, request)))],
            };
            ManifestFile.Save(Path.Combine(made.Path, KeyManifest.FileName), manifest);
            made.Publish();
            return manifest;
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or ParametersRefusedException or IOException or UnauthorizedAccessException)
        {
            throw new RefusedException($"{folder}: no keys were made: {e.Message}", e);
        }
    }

    /// <summary>Opens a folder of keys: every file is compared with the manifest, and the secret key with the public one.</summary>
    /// <param name="folder">As given to <see cref="Create"/>.</param>
    /// <param name="allowInsecure">Without it, parameter sets that are not secure are refused.</param>
    /// <param name="threads">Threads that one operation of the context may use.</param>
    /// <exception cref="RefusedException">
    /// There are no keys, others may read the secret key, a file is damaged or of other keys, or the set is insecure. Names file, expectation and remedy.
    /// </exception>
    public static OwnerKeys Open(string folder, bool allowInsecure = false, int threads = 1)
    {
        folder = Path.GetFullPath(folder);
        var manifest = KeyManifest.Load(folder);
        var parameters = manifest.ReadParameters(allowInsecure);
        KeyManifest.Require(manifest.PublicKey.Sha256 == manifest.KeySha256 ? null : $"{KeyManifest.FileName} names keys {manifest.KeySha256}, but a public key {manifest.PublicKey.Sha256}");
        KeyManifest.Require(manifest.PublicKey.Problem(folder));
        KeyManifest.Require(manifest.EvaluationKeys.Problem(folder));
        var context = new CkksContext(parameters, threads);
        SecretKey? secret = null;
        try
        {
            secret = SecretKeyFile.Read(Path.Combine(folder, SecretKeyName), context, Convert.FromHexString(manifest.KeySha256));
            using var file = File.OpenRead(Path.Combine(folder, manifest.PublicKey.Name));
            using var publicKey = WireReader.ReadPublicKey(file, context);
            return SecretKeyCoefficients.Match(context, secret, publicKey)
                ? new OwnerKeys(folder, manifest, context, secret)
                : throw new RefusedException($"{Path.Combine(folder, SecretKeyName)} is not the secret key of {manifest.PublicKey.Name}. Keep the files of one folder of keys together.");
        }
        catch (Exception e)
        {
            secret?.Dispose();
            context.Dispose();
            throw e is WireFormatException or IOException or UnauthorizedAccessException ? new RefusedException($"{folder}: {e.Message}", e) : e;
        }
    }

    /// <summary>Refuses keys that were made for another model or packing.</summary>
    /// <exception cref="RefusedException">Names what was expected and found.</exception>
    public void Require(string embeddingHash, PackingShape packing)
    {
        var purpose = Manifest.Purpose;
        if (purpose.EmbeddingSha256 != embeddingHash)
        {
            throw new RefusedException($"{Folder}: expected keys for the model with embedding {embeddingHash}, found keys for {purpose.Model} ({purpose.EmbeddingSha256}). Make keys for this model with keygen, in another folder.");
        }

        if (purpose.Packing != packing)
        {
            throw new RefusedException($"{Folder}: expected keys for {packing}, found keys for {purpose.Packing}. Set he.tokens and he.batch as for keygen, or make other keys in another folder.");
        }
    }

    public void Dispose()
    {
        Secret.Dispose();
        Context.Dispose();
    }

    private static EncryptedFile WritePublicKey(string folder, CkksContext context, KeyGenerator generator, SecretKey secret)
    {
        using var key = generator.NewPublicKey(secret);
        var bytes = WireWriter.ToBytes(context, key);
        AtomicFile.Write(Path.Combine(folder, KeyManifest.PublicKeyName), stream => stream.Write(bytes));
        return new EncryptedFile(KeyManifest.PublicKeyName, bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes)));
    }

    private static EncryptedFile WriteEvaluationKeys(
        string folder, CkksContext context, KeyRequest[] wanted, long bytes, Func<KeyRequest, EvaluationKeys> make, Func<EncapsulationKeys>? encapsulation,
        Action<KeyProgress>? progress, CancellationToken cancellation)
    {
        using var hash = SHA256.Create();
        AtomicFile.Write(Path.Combine(folder, KeyManifest.EvaluationKeysName), stream =>
        {
            var (count, done) = (0, 0L);
            using var hashing = new CryptoStream(stream, hash, CryptoStreamMode.Write, leaveOpen: true);
            WireWriter.Write(hashing, context, wanted, request =>
            {
                cancellation.ThrowIfCancellationRequested();
                var key = make(request);
                (count, done) = (count + 1, done + WireSize.Key(context.Parameters, request));
                progress?.Invoke(new KeyProgress(count, wanted.Length, done, bytes));
                return key;
            });
            if (encapsulation is not null)
            {
                using var keys = encapsulation();
                WireWriter.Write(hashing, context, keys);
            }

            hashing.FlushFinalBlock();
        });
        return new EncryptedFile(KeyManifest.EvaluationKeysName, bytes, Convert.ToHexStringLower(hash.Hash!));
    }
}

/// <summary>How far keys are.</summary>
/// <param name="Keys">Evaluation keys made.</param>
/// <param name="Count">All of them.</param>
/// <param name="Bytes">Bytes of those made.</param>
/// <param name="TotalBytes">Bytes of all.</param>
public readonly record struct KeyProgress(int Keys, int Count, long Bytes, long TotalBytes);
