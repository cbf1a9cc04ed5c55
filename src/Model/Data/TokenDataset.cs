using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Data;

/// <summary>
/// The blocks of one split of prepared data, memory-mapped: opening costs no reading, and the system keeps in memory what fits.
/// Reading is safe from many threads; disposing while others read is not.
/// </summary>
public sealed class TokenDataset : IDisposable
{
    private readonly Shard[] _shards;
    private readonly long[] _firstBlocks;
    private bool _isDisposed;

    private TokenDataset(DatasetManifest manifest, DataSplit split, Shard[] shards, long[] unigrams)
    {
        Manifest = manifest;
        Split = split;
        UnigramCounts = unigrams;
        _shards = shards;
        _firstBlocks = new long[shards.Length];
        for (var i = 1; i < shards.Length; i++)
        {
            _firstBlocks[i] = _firstBlocks[i - 1] + shards[i - 1].Blocks;
        }
    }

    /// <summary>What the folder holds.</summary>
    public DatasetManifest Manifest { get; }

    /// <summary>Which part this is.</summary>
    public DataSplit Split { get; }

    /// <summary>Number of blocks.</summary>
    public long BlockCount => Manifest.Of(Split).Blocks;

    /// <summary>Tokens of a block.</summary>
    public int BlockLength => Manifest.BlockLength;

    /// <summary>How often each id occurs in the blocks of the training split, [vocabulary]; the same for both splits.</summary>
    public long[] UnigramCounts { get; }

    /// <summary>Opens a split of a prepared folder.</summary>
    /// <param name="verifyHashes">Also reads every file and compares its SHA-256.</param>
    /// <exception cref="RefusedException">The folder is unfinished, or a file is missing or not as the manifest says.</exception>
    public static TokenDataset Open(string folder, DataSplit split, bool verifyHashes = false)
    {
        var manifest = DatasetManifest.Load(folder);
        var part = manifest.Of(split);
        foreach (var file in part.Shards.Append(manifest.Unigrams))
        {
            Verify(folder, file, verifyHashes);
        }

        var blockBytes = (long)manifest.BlockLength * manifest.TokenBytes;
        if (part.Shards.Sum(shard => shard.Size) != part.Blocks * blockBytes || part.Shards.Any(shard => shard.Size % blockBytes != 0)
            || manifest.Unigrams.Size != manifest.Vocabulary * (long)sizeof(long) || manifest.TokenBytes != ShardWriter.TokenBytes(manifest.Vocabulary))
        {
            throw new RefusedException(
                $"{Path.Combine(folder, DatasetManifest.FileName)}: its counts contradict each other; delete the folder and prepare the data again.");
        }

        var unigrams = MemoryMarshal.Cast<byte, long>(File.ReadAllBytes(Path.Combine(folder, manifest.Unigrams.Name))).ToArray();
        var shards = new List<Shard>();
        try
        {
            foreach (var shard in part.Shards)
            {
                shards.Add(new(Path.Combine(folder, shard.Name), shard.Size / blockBytes));
            }
        }
        catch
        {
            shards.ForEach(shard => shard.Dispose());
            throw;
        }

        return new(manifest, split, [.. shards], unigrams);
    }

    /// <summary>Copies a block into <paramref name="ids"/>, which has <see cref="BlockLength"/> entries.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such block.</exception>
    /// <exception cref="ArgumentException">The span has another length.</exception>
    public unsafe void Read(long block, Span<int> ids)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(block);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(block, BlockCount);
        if (ids.Length != BlockLength)
        {
            throw new ArgumentException($"Expected room for {BlockLength} ids, found {ids.Length}.", nameof(ids));
        }

        var found = Array.BinarySearch(_firstBlocks, block);
        var shard = found >= 0 ? found : ~found - 1;
        var offset = (block - _firstBlocks[shard]) * BlockLength;
        if (Manifest.TokenBytes == sizeof(int))
        {
            new ReadOnlySpan<int>((int*)_shards[shard].Pointer + offset, ids.Length).CopyTo(ids);
            return;
        }

        var narrow = new ReadOnlySpan<ushort>((ushort*)_shards[shard].Pointer + offset, ids.Length);
        for (var i = 0; i < narrow.Length; i++)
        {
            ids[i] = narrow[i];
        }
    }

    public void Dispose()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            Array.ForEach(_shards, shard => shard.Dispose());
        }
    }

    private static void Verify(string folder, ShardFile file, bool verifyHash)
    {
        var path = Path.Combine(folder, file.Name);
        var info = new FileInfo(path);
        if (!info.Exists || info.Length != file.Size)
        {
            throw new RefusedException(
                $"{path}: expected {file.Size} bytes, found {(info.Exists ? info.Length.ToString() : "no file")}; "
                + "delete the folder and prepare the data again.");
        }

        if (verifyHash)
        {
            using var stream = File.OpenRead(path);
            if (Convert.ToHexStringLower(SHA256.HashData(stream)) != file.Sha256)
            {
                throw new RefusedException($"{path}: content is not what the manifest says; delete the folder and prepare the data again.");
            }
        }
    }

    /// <summary>A mapped file.</summary>
    private sealed unsafe class Shard : IDisposable
    {
        private readonly MemoryMappedFile _file;
        private readonly MemoryMappedViewAccessor _view;

        public Shard(string path, long blocks)
        {
            Blocks = blocks;
            _file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
            _view = _file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
            byte* pointer = null;
            _view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
            Pointer = pointer + _view.PointerOffset;
        }

        public long Blocks { get; }

        public byte* Pointer { get; }

        public void Dispose()
        {
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
            _view.Dispose();
            _file.Dispose();
        }
    }
}
