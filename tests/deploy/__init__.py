"""What runs loyaltystream elsewhere: the image, compose, and the manifests for Kubernetes."""
