using System.Globalization;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Export;

namespace ActorTrainer.Actors.KeyHolder;

/// <summary>Encrypts micro-batches with the secret key, so ciphertexts are seeded: half the size, less noise. Holds the rows of one in memory.</summary>
internal sealed class MicroBatchEncryptor : IDisposable
{
    private readonly ExportReader _source;
    private readonly OwnerKeys _keys;
    private readonly EncryptedManifest _manifest;
    private readonly MicroBatchSlots _slots;
    private readonly Encoder _encoder;
    private readonly Encryptor _encryptor;
    private readonly float[][] _rows;
    private readonly byte[] _mask;

    public MicroBatchEncryptor(ExportReader source, OwnerKeys keys, EncryptedManifest manifest, Packing packing)
    {
        (_source, _keys, _manifest) = (source, keys, manifest);
        _slots = new MicroBatchSlots(packing, source.Manifest.Sequence);
        _encoder = new Encoder(keys.Context);
        _encryptor = new Encryptor(keys.Context);
        _rows = [.. Enumerable.Range(0, packing.Batch).Select(_ => new float[source.Manifest.Sequence * source.Manifest.Hidden])];
        _mask = new byte[source.Manifest.Sequence];
    }

    /// <summary>Writes both bundles of these rows.</summary>
    /// <param name="numbers">Numbers of the rows.</param>
    /// <exception cref="RefusedException">A number is above the declared bound, or the export is damaged.</exception>
    public void Write(Stream stream, IReadOnlyList<int> numbers)
    {
        var described = numbers.Select((number, b) => Read(number, _rows[b])).ToArray();
        var (levels, labels) = (_manifest.Levels, described.Select(row => row.Label).ToArray());
        var targets = MicroBatchSlots.Targets(labels, _manifest.Outputs, _manifest.IsRegression);
        Write(stream, [
            .. _slots.Inputs(_rows).Select(slots => (slots, levels.Inputs, _manifest.InputMagnitude)),
            .. _slots.Masks([.. described.Select(row => row.TokenCount)]).Select(slots => (slots, levels.Masks, 1.0)),
        ]);
        Write(stream, [.. targets.Select(slots => (slots, levels.Targets, TargetMagnitude(_manifest.IsRegression)))]);
    }

    public void Dispose()
    {
        _encryptor.Dispose();
        Array.ForEach(_rows, Array.Clear);
    }

    /// <summary>Classes are one-hot; the task of numbers has 0 to 5.</summary>
    private static double TargetMagnitude(bool isRegression) => isRegression ? 5 : 1;

    private ExportedRow Read(int number, float[] row)
    {
        var described = _source.Read(number, row, _mask);
        var bound = _manifest.InputMagnitude;
        if (row.AsSpan().ContainsAnyExceptInRange((float)-bound, (float)bound))
        {
            throw new RefusedException($"{_manifest.Task} {_manifest.Split}, row {number}: expected embedded numbers of at most {bound:0.##} in size, which ciphertexts declare, found larger ones. Declare a larger bound, from the model's weights.");
        }

        var most = TargetMagnitude(_manifest.IsRegression);
        return !_manifest.IsRegression || Math.Abs(described.Label) <= most
            ? described
            : throw new RefusedException(string.Create(CultureInfo.InvariantCulture, $"{_manifest.Task} {_manifest.Split}, row {number}: expected a number from 0 to {most}, found the label {described.Label}. Scale the labels of the task."));
    }

    private void Write(Stream stream, IReadOnlyList<(double[] Slots, int Level, double Magnitude)> bundle)
    {
        var ciphertexts = new List<Ciphertext>();
        using var payload = new CipherPayload(_keys.Context, ciphertexts);
        foreach (var (slots, level, magnitude) in bundle)
        {
            using var plaintext = _encoder.Encode(slots, level, _keys.Parameters.ScaleAt(level));
            ciphertexts.Add(_encryptor.Encrypt(plaintext, _keys.Secret, magnitude));
            Array.Clear(slots);
        }

        payload.Write(stream);
    }
}
