using System.Runtime.Versioning;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.KeyHolder;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;
using ActorTrainer.Model.Common;
using Xunit;

namespace ActorTrainer.Tests.KeyHolder;

[UnsupportedOSPlatform("windows")]
public sealed class OwnerKeysTests : IDisposable
{
    private readonly OwnerFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void Keys_that_were_opened_again_decrypt_what_their_public_side_encrypts_and_computes()
    {
        using var keys = _fixture.NewKeys();
        var context = keys.Context;
        using var evaluation = keys.Manifest.ReadEvaluationKeys(_fixture.KeyFolder, context);
        var evaluator = new Evaluator(new CkksBackend(context, evaluation));
        using var encryptor = new Encryptor(context);
        double[] values = [.. Enumerable.Range(0, context.Parameters.Slots).Select(i => Math.Sin(i))];
        using var plaintext = new Encoder(context).Encode(values, 3, context.Parameters.ScaleAt(3));
        using var ciphertext = encryptor.Encrypt(plaintext, keys.Secret);
        using var product = evaluator.MultiplyLazy(ciphertext, ciphertext);
        using var square = evaluator.Relinearise(product);

        var slots = new Decryptor(context, keys.Secret).Slots(square);

        Assert.All(Enumerable.Range(0, values.Length), i => Assert.Equal(values[i] * values[i], slots[i].Real, 1e-6));
        Assert.Equal(OwnerFixture.Requests.Select(r => (r.Element, r.Level)), keys.Manifest.Requests.Select(entry => (entry.Element, entry.Level)));
        Assert.Equal(OwnerFixture.Requests.Order(Comparer<KeyRequest>.Create((a, b) => a.Element - b.Element)), evaluation.Requests.OrderBy(r => r.Element));
        Assert.Equivalent(_fixture.Purpose, keys.Manifest.Purpose);
    }

    [Fact]
    public void Only_the_owner_may_read_the_secret_key_and_look_into_the_folder()
    {
        _fixture.CreateKeys();

        Assert.Equal(Convert.ToInt32("700", 8), (int)File.GetUnixFileMode(_fixture.KeyFolder));
        Assert.Equal(Convert.ToInt32("600", 8), (int)File.GetUnixFileMode(SecretKey));
        Assert.Equal(["evaluation.keys", "keys.json", "public.key", "secret.key"], Directory.GetFiles(_fixture.KeyFolder).Select(Path.GetFileName).Order());
    }

    [Theory]
    [InlineData("640")]
    [InlineData("604")]
    [InlineData("620")]
    public void A_secret_key_that_others_may_read_or_change_is_refused_with_the_command_that_mends_it(string mode)
    {
        _fixture.CreateKeys();
        File.SetUnixFileMode(SecretKey, (UnixFileMode)Convert.ToInt32(mode, 8));

        var refused = Refusal();

        Assert.Contains($"found mode {mode}", refused);
        Assert.Contains($"chmod 600 '{SecretKey}'", refused);
        File.SetUnixFileMode(SecretKey, (UnixFileMode)Convert.ToInt32("600", 8));
        _fixture.OpenKeys().Dispose();
    }

    [Fact]
    public void An_existing_folder_is_never_overwritten()
    {
        _fixture.CreateKeys();
        var before = OwnerFixture.Content(_fixture.KeyFolder);

        Assert.Contains("never overwritten", Assert.Throws<RefusedException>(() => _fixture.CreateKeys()).Message);

        Assert.Equal(before, OwnerFixture.Content(_fixture.KeyFolder));
        var empty = Directory.CreateDirectory(Path.Combine(_fixture.Root, "empty")).FullName;
        Assert.Throws<RefusedException>(() => _fixture.CreateKeys(empty));
    }

    [Fact]
    public void Cancelled_keys_leave_nothing_and_killed_ones_are_removed_by_the_next()
    {
        using var cancellation = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => OwnerKeys.Create(
            _fixture.KeyFolder, new CkksParameters(OwnerFixture.Toy), OwnerFixture.Requests, _fixture.Purpose, allowInsecure: true, progress: _ => cancellation.Cancel(), cancellation: cancellation.Token));
        Assert.Empty(Directory.GetFileSystemEntries(_fixture.Root));

        var killed = Directory.CreateDirectory(Path.Combine(_fixture.Root, ".keys.partial-0123")).FullName;
        File.WriteAllText(Path.Combine(killed, "secret.key"), "half");
        File.WriteAllText(Path.Combine(killed, ".lock"), "");
        var alive = Directory.CreateDirectory(Path.Combine(_fixture.Root, ".keys.partial-4567")).FullName;
        using var held = new FileStream(Path.Combine(alive, ".lock"), FileMode.CreateNew, FileAccess.Write, FileShare.None);
        _fixture.CreateKeys();

        Assert.Equal([".keys.partial-4567", "keys"], Directory.GetFileSystemEntries(_fixture.Root).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Progress_counts_keys_and_bytes_up_to_those_of_the_file()
    {
        var seen = new List<KeyProgress>();
        var manifest = OwnerKeys.Create(_fixture.KeyFolder, new CkksParameters(OwnerFixture.Toy), OwnerFixture.Requests, _fixture.Purpose, allowInsecure: true, progress: seen.Add);

        Assert.Equal([(1, 2), (2, 2)], seen.Select(p => (p.Keys, p.Count)));
        Assert.All(seen, p => Assert.Equal(new FileInfo(Path.Combine(_fixture.KeyFolder, "evaluation.keys")).Length, p.TotalBytes));
        Assert.Equal(manifest.Requests.Sum(entry => entry.Bytes), seen[^1].Bytes);
    }

    [Fact]
    public void Insecure_sets_are_refused_unless_allowed()
    {
        Assert.Throws<RefusedException>(() => OwnerKeys.Create(_fixture.KeyFolder, new CkksParameters(OwnerFixture.Toy), [], _fixture.Purpose));
        Assert.False(Path.Exists(_fixture.KeyFolder));

        _fixture.CreateKeys();
        Assert.Contains("for tests", Assert.Throws<RefusedException>(() => OwnerKeys.Open(_fixture.KeyFolder)).Message);
    }

    [Fact]
    public void Requests_that_no_set_has_are_refused()
    {
        Assert.Contains("Levels of InsecureTestOwner are 0 to 3; a key was asked for at level 4", Assert.Throws<RefusedException>(() => _fixture.CreateKeys(requests: [new(5, 2), new(0, 4)])).Message);
        Assert.Contains("Galois elements are odd", Assert.Throws<RefusedException>(() => _fixture.CreateKeys(requests: [new(4, 2)])).Message);
        Assert.Empty(Directory.GetFileSystemEntries(_fixture.Root));
    }

    [Theory]
    [InlineData("secret.key", "secret.key")]
    [InlineData("public.key", "public.key: damaged: expected SHA-256")]
    [InlineData("evaluation.keys", "evaluation.keys: damaged: expected SHA-256")]
    public void Any_changed_bit_is_refused_and_names_the_file(string name, string expected)
    {
        _fixture.CreateKeys();
        var file = Path.Combine(_fixture.KeyFolder, name);
        var (bytes, random) = (File.ReadAllBytes(file), new Random(3));
        for (var i = 0; i < 40; i++)
        {
            var damaged = bytes.ToArray();
            damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            Write(file, damaged);
            Assert.Contains(expected, Refusal());
        }

        Write(file, bytes[..^1]);
        Assert.Contains($"expected {bytes.Length} bytes", Refusal());
        File.Delete(file);
        Assert.Contains("found no file", Refusal());
    }

    [Fact]
    public void A_secret_key_of_another_folder_is_refused_even_when_its_header_is_forged()
    {
        _fixture.CreateKeys();
        var other = Path.Combine(_fixture.Root, "other");
        _fixture.CreateKeys(other);
        var foreign = File.ReadAllBytes(Path.Combine(other, "secret.key"));
        var own = File.ReadAllBytes(SecretKey);

        Write(SecretKey, foreign);
        Assert.Contains("found another one's", Refusal());

        // Everything before the coefficients is this folder's: only the arithmetic can tell.
        var coefficients = SecretKeyCoefficients.Bytes(new CkksParameters(OwnerFixture.Toy));
        byte[] forged = [.. own[..^(coefficients + 32)], .. foreign[^(coefficients + 32)..^32]];
        Write(SecretKey, [.. forged, .. System.Security.Cryptography.SHA256.HashData(forged)]);
        Assert.Contains("is not the secret key of public.key", Refusal());
    }

    [Fact]
    public void Keys_of_another_model_or_packing_are_refused_before_anything_is_computed()
    {
        using var keys = _fixture.NewKeys();

        keys.Require(_fixture.Purpose.EmbeddingSha256, _fixture.Packing);
        Assert.Contains("found keys for small", Assert.Throws<RefusedException>(() => keys.Require(new string('0', 64), _fixture.Packing)).Message);
        Assert.Contains("he.tokens", Assert.Throws<RefusedException>(() => keys.Require(_fixture.Purpose.EmbeddingSha256, OwnerFixture.Short)).Message);
    }

    [Fact]
    public void The_public_files_hold_no_byte_string_of_the_secret_key()
    {
        _fixture.CreateKeys();
        var secret = File.ReadAllBytes(SecretKey).AsSpan(^(32 + 256)..^32).ToArray();

        foreach (var name in new[] { "keys.json", "public.key", "evaluation.keys" })
        {
            var bytes = File.ReadAllBytes(Path.Combine(_fixture.KeyFolder, name));
            Assert.All(secret.Chunk(16), piece => Assert.Equal(-1, bytes.AsSpan().IndexOf(piece)));
        }
    }

    [Theory]
    [InlineData("keys.json")]
    [InlineData("{\"format\": 2}")]
    [InlineData("{")]
    public void A_manifest_that_is_missing_or_cannot_be_read_is_refused(string text)
    {
        _fixture.CreateKeys();
        var file = Path.Combine(_fixture.KeyFolder, KeyManifest.FileName);
        File.Delete(file);
        if (text != KeyManifest.FileName)
        {
            File.WriteAllText(file, text);
        }

        Assert.Contains("keys.json", Refusal());
    }

    private string SecretKey => Path.Combine(_fixture.KeyFolder, OwnerKeys.SecretKeyName);

    private string Refusal() => Assert.Throws<RefusedException>(() => _fixture.OpenKeys()).Message;

    /// <summary>Keeps the file's mode.</summary>
    private static void Write(string path, byte[] bytes) => File.WriteAllBytes(path, bytes);
}
