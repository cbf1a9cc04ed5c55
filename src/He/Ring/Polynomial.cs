namespace ActorTrainer.He.Ring;

/// <summary>
/// A polynomial by its limbs, in pooled native memory until it is disposed. Limbs are those of q₀ … q_ℓ, and after them, where
/// <see cref="HasSpecial"/>, those of P. Pointers to limbs do not keep it alive: who takes them does (GC.KeepAlive), or holds it in a using.
/// </summary>
public sealed unsafe class Polynomial : IDisposable
{
    private readonly LimbPool _pool;
    private readonly int _capacity;
    private readonly int _strideBytes;
    private readonly bool _secret;
    private nint _block;

    internal Polynomial(LimbPool pool, int limbs, bool hasSpecial, bool secret)
    {
        (_pool, _strideBytes, _secret, Limbs, HasSpecial) = (pool, pool.StrideBytes, secret, limbs, hasSpecial);
        _block = (nint)pool.Take(limbs, out _capacity);
    }

    ~Polynomial()
    {
        if (_block != 0)
        {
            LimbPool.Abandon((byte*)_block, _capacity, _strideBytes, _secret);
        }
    }

    /// <summary>Limbs, special ones included.</summary>
    public int Limbs { get; }

    public bool HasSpecial { get; }

    /// <summary>From one limb to the next.</summary>
    internal int StrideBytes => _strideBytes;

    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    internal void* this[int limb]
    {
        get
        {
            var block = (byte*)_block;
            ObjectDisposedException.ThrowIf(block is null, this);
            return (uint)limb < (uint)Limbs ? block + ((long)limb * _strideBytes) : throw new ArgumentOutOfRangeException(nameof(limb), limb, $"There are {Limbs} limbs.");
        }
    }

    public void Dispose()
    {
        // Of two threads that dispose it, one returns the block: twice returned, it would be given out twice.
        var block = Interlocked.Exchange(ref _block, 0);
        if (block != 0)
        {
            _pool.Return((byte*)block, Limbs, _capacity, _secret);
        }

        GC.SuppressFinalize(this);
    }
}
