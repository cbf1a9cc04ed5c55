using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace ActorTrainer.Model.Data;

/// <summary>Packs a stream of tokens into blocks and writes them to shard files; holds one block in memory.</summary>
internal sealed class ShardWriter : IDisposable
{
    /// <summary>Default size of a shard.</summary>
    public const long ShardBytes = 64L << 20;

    private readonly string _folder;
    private readonly string _prefix;
    private readonly int[] _block;
    private readonly byte[] _bytes;
    private readonly long _blocksPerShard;
    private readonly List<ShardFile> _shards = [];
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private FileStream? _file;
    private long _blocksInShard;
    private readonly int? _first;
    private int _used;

    /// <param name="first">Token that begins every block and is not one of the stream; null = none.</param>
    public ShardWriter(
        string folder, string prefix, int blockLength, int vocabulary, long shardBytes = ShardBytes, int? first = null)
    {
        _first = first;
        _folder = folder;
        _prefix = prefix;
        _block = new int[blockLength];
        _bytes = new byte[blockLength * TokenBytes(vocabulary)];
        _blocksPerShard = Math.Max(1, shardBytes / _bytes.Length);
        Unigrams = new long[vocabulary];
    }

    /// <summary>Tokens appended.</summary>
    public long Tokens { get; private set; }

    /// <summary>Whole blocks written.</summary>
    public long Blocks { get; private set; }

    /// <summary>Counts of each id in the whole blocks.</summary>
    public long[] Unigrams { get; }

    /// <summary>Bytes of a stored id: 2 up to a vocabulary of 65,536, else 4.</summary>
    public static int TokenBytes(int vocabulary) => vocabulary <= 1 << 16 ? sizeof(ushort) : sizeof(int);

    /// <summary>Appends tokens; each time a block is full it is written.</summary>
    public void Append(ReadOnlySpan<int> ids)
    {
        Tokens += ids.Length;
        while (!ids.IsEmpty)
        {
            if (_used == 0 && _first is { } first)
            {
                _block[_used++] = first;
            }

            var taken = Math.Min(ids.Length, _block.Length - _used);
            ids[..taken].CopyTo(_block.AsSpan(_used));
            ids = ids[taken..];
            _used += taken;
            if (_used == _block.Length)
            {
                WriteBlock();
                _used = 0;
            }
        }
    }

    /// <summary>Drops the incomplete block, closes the last shard and returns all of them.</summary>
    public IReadOnlyList<ShardFile> Finish()
    {
        CloseShard();
        return _shards;
    }

    public void Dispose()
    {
        _file?.Dispose();
        _hash.Dispose();
    }

    private void WriteBlock()
    {
        foreach (var id in _block)
        {
            Unigrams[id]++;
        }

        if (_bytes.Length == _block.Length * sizeof(ushort))
        {
            var narrow = MemoryMarshal.Cast<byte, ushort>(_bytes.AsSpan());
            for (var i = 0; i < narrow.Length; i++)
            {
                narrow[i] = (ushort)_block[i];
            }
        }
        else
        {
            MemoryMarshal.AsBytes(_block.AsSpan()).CopyTo(_bytes);
        }

        _file ??= new FileStream(
            Path.Combine(_folder, $"{_prefix}-{_shards.Count:D5}.bin"), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 20);
        _file.Write(_bytes);
        _hash.AppendData(_bytes);
        Blocks++;
        if (++_blocksInShard == _blocksPerShard)
        {
            CloseShard();
        }
    }

    private void CloseShard()
    {
        if (_file is null)
        {
            return;
        }

        _file.Flush(flushToDisk: true);
        _shards.Add(new(Path.GetFileName(_file.Name), _file.Length, Convert.ToHexStringLower(_hash.GetHashAndReset())));
        _file.Dispose();
        _file = null;
        _blocksInShard = 0;
    }
}
