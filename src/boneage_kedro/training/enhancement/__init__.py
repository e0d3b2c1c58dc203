"""The conditional GAN that enhances hands: pairs, losses, steps (paper 001)."""
