using System.Numerics;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.He.Layers;
using ActorTrainer.He.Refresh;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Training;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Actors.KeyHolder;

/// <summary>Learned weights into and out of encryption, on the owner's side.</summary>
public sealed class AdapterCipher : IDisposable
{
    private readonly int _level;
    private readonly CkksContext _context;
    private readonly SecretKey _key;
    private readonly Encryptor _encryptor;
    private readonly OwnerRefresh _owner;
    private readonly Encoder _encoder;

    /// <param name="context">Of the key's parameters; not owned.</param>
    /// <param name="key">Not owned.</param>
    /// <param name="floor">The lowest level that the program uses: fresh states are at the level of trained ones above it.</param>
    public AdapterCipher(CkksContext context, SecretKey key, int floor = 0)
    {
        (_context, _key, _level) = (context, key, floor + EncryptedUnit.StateLevel);
        (_encryptor, _encoder) = (new Encryptor(context), new Encoder(context));
        _owner = new OwnerRefresh(context, key, _encryptor);
    }

    /// <summary>Writes the state that a unit begins with: its weights, and moments of zero.</summary>
    /// <param name="tensors">By the layout's names.</param>
    public void Write(Stream stream, UnitLayout layout, IReadOnlyDictionary<string, double[]> tensors)
    {
        var packs = layout.Pack(tensors).Select(slots => new AdamWPack(Encrypt(slots), Encrypt(new double[slots.Length]), Encrypt(new double[slots.Length]))).ToArray();
        EncryptedUnitState.Write(stream, _context, 0, packs);
        Array.ForEach(packs, pack => pack.Dispose());
    }

    /// <summary>Reads a unit's weights back, with the noise that they have: for the owner's own use (docs/security-he.md).</summary>
    /// <returns>Updates applied, and tensors by the layout's names.</returns>
    /// <exception cref="RefusedException">The file is no state of this unit under these keys.</exception>
    public (long Steps, IReadOnlyDictionary<string, double[]> Tensors) Read(string file, UnitLayout layout)
    {
        var (steps, packs) = EncryptedUnitState.Read(file, _context);
        try
        {
            return packs.Count == layout.Packs
                ? (steps, layout.Unpack([.. packs.Select(pack => Decrypt(pack.Weights))]))
                : throw new RefusedException($"{file}: expected {layout.Packs} packs, found {packs.Count}. It is of another model.");
        }
        finally
        {
            foreach (var pack in packs)
            {
                pack.Dispose();
            }
        }
    }

    public void Dispose() => _encryptor.Dispose();

    private Ciphertext Encrypt(double[] slots)
    {
        using var plaintext = _encoder.Encode([.. slots.Select(v => new Complex(v, 0))], _level, _context.Parameters.ScaleAt(_level));
        return _encryptor.Encrypt(plaintext, _key);
    }

    private double[] Decrypt(Ciphertext ciphertext)
    {
        double[] slots = [];
        _owner.Look(ciphertext, seen => slots = [.. seen.Select(slot => slot.Real)]);
        return slots;
    }
}
